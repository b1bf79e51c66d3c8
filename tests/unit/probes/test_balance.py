"""A virtual address that leads to every task: the truth table of that, and how many connections it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from swarmlab.model.check import Check, Verdict
from swarmlab.model.evidence import Evidence, Measurement, Outcome
from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import DENY, Kind
from swarmlab.model.probe import ProbePlan
from swarmlab.probes.publish.balance import MOST, ROUNDS, askers, balance_checks, connections
from swarmlab.probes.publish.findings import publish_findings
from swarmlab.probes.traffic.facts import Facts
from swarmlab.probes.traffic.plan import plan
from tests.unit.probes.labs import PORT, RUN, scenario, service, task

ID = "vip:a.1->b@front-net/balance"
VIPS = {("b", "front-net"): "10.0.1.99", ("lone", "front-net"): "10.0.1.98"}


def vip(target: str, **more: object) -> Expectation:
    made = Expectation(
        kind=Kind.VIP, expected="allow", because="because", source="a", target=target, network="front-net"
    )
    return replace(made, **more)  # type: ignore[arg-type]


def lab(tasks: int = 3, *expect: Expectation) -> tuple[ProbePlan, Facts]:
    made = scenario(
        service("a", "front-net"),
        service("b", "front-net", replicas=tasks, mode="vip"),
        service("lone", "front-net", mode="vip"),
        expect=expect or (vip("b"), vip("lone")),
    )
    endpoints = [task(f"b.{i}", f"host{i % 2 + 1}", (f"10.0.1.{10 + i}", "front-net")) for i in range(1, tasks + 1)]
    endpoints += [task("a.1", "host1", ("10.0.1.3", "front-net")), task("lone.1", "host2", ("10.0.1.5", "front-net"))]
    main = plan(made, endpoints, timeout=1.0, run=RUN, port=PORT, vips=VIPS)
    probes = connections(askers(main), main, {}, 0, PORT)
    made_plan = replace(main, probes=tuple(probes), names=())
    evidence = {
        p.id: Evidence(p.id, Outcome.ANSWERED, responder=f"b.{p.id % tasks + 1}", latency_ms=0.2, left=True)
        for p in probes
    }
    return main, Facts(made, made_plan, Measurement(evidence))


def check(facts: Facts, main: ProbePlan) -> Check:
    (only,) = balance_checks(facts, askers(main))
    assert only.id == ID
    return only


def changed(facts: Facts, change: Callable[[Evidence], Evidence], **more: object) -> Facts:
    m = facts.measurement
    measured = replace(m, probes={i: change(e) for i, e in m.probes.items()}, **more)  # type: ignore[arg-type]
    return Facts(facts.scenario, facts.plan, measured)


def test_several_connections_for_each_task_but_not_without_bound() -> None:
    assert len(lab(3)[1].plan.probes) == 3 * ROUNDS
    assert len(lab(40)[1].plan.probes) == MOST
    assert len(lab(70)[1].plan.probes) == 70
    assert [(p.source, p.target) for p in askers(lab()[0])] == [("a.1", "b")], "one task alone needs no balance"


def test_a_denied_virtual_address_or_one_without_ipvs_is_not_flooded() -> None:
    assert askers(lab(3, vip("b", expected=DENY))[0]) == []
    assert askers(lab(3, vip("b", protocol="udp"))[0]) == []
    main, _ = lab()
    assert connections(askers(main), main, {"host1": ("ip_vs",)}, 0, PORT) == []


def test_every_task_answered() -> None:
    main, facts = lab()
    found = check(facts, main)
    assert (found.verdict, found.evidence.to_json()["connections"]) == (Verdict.PASS, 12)
    assert found.evidence.to_json()["answers_by"] == {"b.1": 4, "b.2": 4, "b.3": 4}
    assert publish_findings([], [found]) == ()


TABLE: dict[str, tuple[Callable[[Facts], Facts], Verdict, str]] = {
    "one task is never met": (
        lambda f: changed(f, lambda e: replace(e, responder="b.1") if e.responder == "b.3" else e),
        Verdict.FAIL,
        "never b.3",
    ),
    "one of n times out": (
        lambda f: changed(f, lambda e: replace(e, outcome=Outcome.TIMED_OUT, responder="") if e.probe == 5 else e),
        Verdict.FAIL,
        "1 got no answer",
    ),
    "a stranger answers too": (
        lambda f: changed(f, lambda e: replace(e, responder="x.1") if e.probe == 5 else e),
        Verdict.FAIL,
        "x.1 answered in their place",
    ),
    "somebody unknown answers too": (
        lambda f: changed(f, lambda e: replace(e, responder="") if e.probe == 5 else e),
        Verdict.FAIL,
        "somebody else answered",
    ),
    "nobody answers": (
        lambda f: changed(f, lambda e: replace(e, outcome=Outcome.TIMED_OUT, responder="")),
        Verdict.FAIL,
        "0 of 3 tasks",
    ),
    "no IPVS": (
        lambda f: changed(f, lambda e: replace(e, outcome=Outcome.TIMED_OUT), missing_features={"host1": ("ip_vs",)}),
        Verdict.INCONCLUSIVE,
        "no IP_VS",
    ),
    "the asker is dead": (
        lambda f: changed(f, lambda e: replace(e, outcome=Outcome.SENDER_DEAD), dead_hosts={"host1": "killed"}),
        Verdict.INCONCLUSIVE,
        "the agent on host1 is gone",
    ),
    "a task cannot answer": (
        lambda f: changed(f, lambda e: replace(e, responder="b.1"), dead_endpoints={"b.3": "gone: paused"}),
        Verdict.INCONCLUSIVE,
        "b.3",
    ),
    "a listener is dead": (
        lambda f: changed(f, lambda e: replace(e, outcome=Outcome.LISTENER_DEAD) if e.probe == 2 else e),
        Verdict.INCONCLUSIVE,
        "listener dead",
    ),
    "nothing was tried": (
        lambda f: Facts(f.scenario, replace(f.plan, probes=()), Measurement()),
        Verdict.INCONCLUSIVE,
        "no connection",
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_balance(name: str) -> None:
    change, verdict, text = TABLE[name]
    main, facts = lab()
    found = check(change(facts), main)
    assert (found.verdict, text in found.explanation) == (verdict, True), found.explanation
    assert [f.id for f in publish_findings([], [found])] == (
        ["vip-unbalanced:b@front-net"] if verdict is Verdict.FAIL else []
    )
