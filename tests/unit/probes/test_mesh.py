"""A published port that the mesh leads to every task, from each host: the truth table of that, and how often it is
tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from swarmlab.model.check import Check, Verdict
from swarmlab.model.evidence import Evidence, Measurement, Outcome
from swarmlab.model.host import OUTSIDE
from swarmlab.model.probe import Address, Endpoint, ProbePlan
from swarmlab.probes.publish.balance import ROUNDS
from swarmlab.probes.publish.findings import publish_findings
from swarmlab.probes.publish.mesh import BUDGET, mesh_checks, repeated
from swarmlab.probes.publish.plan import HostPort, controls, probe_of
from swarmlab.probes.publish.published import Published
from swarmlab.probes.publish.run import PublishMeasurement
from tests.unit.probes.labs import PORT, RUN
from tests.unit.probes.ports import ADDRESSES, ENDPOINTS, HOSTS, host_ports, lab

ID = "publish:outside->web@host3/tcp:8443/balance"
HOST_PORTS = list(host_ports(lab())[0].values())


def proven(protocol: str = "tcp") -> Published:
    """web.1 and web.2 take turns: by their own word for odd probes, as their captures saw it for even ones."""
    again = [replace(d, protocol=protocol) for d in repeated(HOST_PORTS, {})]
    tried = [*dict.fromkeys(again), *again]
    probes = [probe_of(i, d, ADDRESSES) for i, d in enumerate(tried)]
    probes += controls(tried, len(probes), PORT, ADDRESSES)
    outside = Endpoint(OUTSIDE, OUTSIDE, "outside", addresses=(Address("172.30.0.10", "underlay"),))
    plan = ProbePlan(
        endpoints={**{e.id: e for e in ENDPOINTS}, OUTSIDE: outside},
        probes=tuple(probes),
        names=(),
        port=PORT,
        run=RUN,
        timeout=1.0,
    )
    evidence = {
        p.id: Evidence(p.id, Outcome.ANSWERED, responder=p.target, latency_ms=0.2, left=True, seen=True, sends=1)
        for p in probes
    }
    turns = {i: f"web.{1 + i // 2 % 2}" for i in range(len(tried))}
    tasks = {i: {t: (t == turns[i], t == turns[i]) for t in ("web.1", "web.2")} for i in turns}
    seen = PublishMeasurement(Measurement(evidence), {i: turns[i] if i % 2 else "" for i in turns}, tasks)
    first = dict(enumerate(tried[: len(HOSTS)]))
    return Published(lab(), plan, seen, first, dict(enumerate(again, len(HOSTS))))


def check(p: Published) -> Check:
    found = {c.target_host: c for c in mesh_checks(p)}
    assert list(found) == list(HOSTS)
    return found["host3"]


def repeats(p: Published) -> dict[int, HostPort]:
    return {probe.id: d for d in p.host_ports.values() for probe in p.tried(d) if probe.id not in p.host_ports}


def at_host3(p: Published) -> list[int]:
    return [i for i, d in repeats(p).items() if d.host == "host3"]


def changed(p: Published, seen: PublishMeasurement, **more: object) -> Published:
    measured = replace(seen.measurement, **more)  # type: ignore[arg-type]
    both = frozenset({"web.1", "web.2"})
    return Published(
        lab(), p.facts.plan, replace(seen, measurement=measured), p.host_ports, repeats(p), captures_work=both
    )


def lost(p: Published, ids: list[int], outcome: Outcome = Outcome.TIMED_OUT, **more: object) -> Published:
    evidence = {i: Evidence(i, outcome, left=True, seen=True) for i in ids}
    answers = {i: who for i, who in p.seen.answers.items() if i not in ids}
    tasks = {i: dict.fromkeys(("web.1", "web.2"), (False, False)) if i in ids else by for i, by in p.seen.tasks.items()}
    return changed(
        p, replace(p.seen, answers=answers, tasks=tasks), probes={**p.seen.measurement.probes, **evidence}, **more
    )


def taken(p: Published, ids: list[int], by: str, *, silent: bool = False, saw: bool | None = False) -> Published:
    """Those were answered by `by` ("": by somebody), and the captures of web's tasks say `saw`."""
    tasks = {**p.seen.tasks, **{i: dict.fromkeys(("web.1", "web.2"), (saw, saw)) for i in ids}}
    answers = {**p.seen.answers, **dict.fromkeys(ids, by)}
    return changed(p, replace(p.seen, answers=answers, tasks=tasks, silent=frozenset(ids if silent else ())))


def impaired(p: Published) -> Published:
    plan = p.facts.plan
    frozen = replace(plan.endpoints["web.2"], impaired="its container is paused")
    return Published(
        lab(), replace(plan, endpoints={**plan.endpoints, "web.2": frozen}), p.seen, p.host_ports, repeats(p)
    )


def test_each_host_is_tried_for_each_task_several_times_but_not_without_bound() -> None:
    tried = repeated(HOST_PORTS, {})
    assert [(d.host, d.said) for d in dict.fromkeys(tried)] == [(host, "8443") for host in HOSTS], (
        "host mode has nothing to balance"
    )
    assert len(tried) == len(HOSTS) * 2 * ROUNDS
    assert {d.host for d in repeated(HOST_PORTS, {"host2": ("ip_vs",)})} == {"host1", "host3"}
    assert len(repeated([replace(d, tasks=("web.1",)) for d in HOST_PORTS], {})) == len(HOSTS) * ROUNDS, (
        "one task may have a dead one beside it"
    )
    many: list[HostPort] = [
        replace(d, host=f"{d.host}-{i}", tasks=tuple(f"web.{n}" for n in range(5)))
        for d in tried
        for i in range(BUDGET)
    ]
    assert len(repeated(many, {})) == 5 * len(many), "one for each task, and no more"


def test_taking_turns_passes() -> None:
    found = check(proven())
    assert (found.verdict, found.network, found.target_host) == (Verdict.PASS, "ingress", "host3"), found.explanation
    assert found.evidence.to_json()["answers_by"] == {"web.1": 4, "web.2": 4}
    assert publish_findings([], [], [found]) == ()


TABLE: dict[str, tuple[Callable[[Published], Published], Verdict, str]] = {
    "one task is never met": (
        lambda p: taken(p, at_host3(p), "web.1"),
        Verdict.FAIL,
        "1 of 2 tasks answered over 8 connections; never web.2",
    ),
    "one of n is lost": (lambda p: lost(p, at_host3(p)[3:4]), Verdict.FAIL, "1 came to no task"),
    "one of n is refused": (lambda p: lost(p, at_host3(p)[3:4], Outcome.REFUSED), Verdict.FAIL, "1 came to no task"),
    "all are lost": (lambda p: lost(p, at_host3(p)), Verdict.FAIL, "0 of 2 tasks"),
    "all end at the host": (lambda p: taken(p, [2, *at_host3(p)], "", silent=True), Verdict.FAIL, "8 came to no task"),
    "some seem to": (
        lambda p: taken(p, at_host3(p)[:2], "", silent=True),
        Verdict.INCONCLUSIVE,
        "2 of 8 connections were accepted",
    ),
    "a stranger answers too": (
        lambda p: taken(p, at_host3(p)[:1], "db.1"),
        Verdict.FAIL,
        "db.1 answered in their place",
    ),
    "somebody answers": (
        lambda p: taken(p, at_host3(p)[:2], ""),
        Verdict.INCONCLUSIVE,
        "2 of 8 connections were accepted, and it is not",
    ),
    "a capture cannot tell": (
        lambda p: taken(p, at_host3(p)[:2], "", silent=True, saw=None),
        Verdict.INCONCLUSIVE,
        "not known by whom",
    ),
    "a task is paused": (impaired, Verdict.INCONCLUSIVE, "its container is paused"),
    "no IPVS": (
        lambda p: lost(p, at_host3(p), missing_features={"host3": ("ip_vs",)}),
        Verdict.INCONCLUSIVE,
        "no IP_VS",
    ),
    "outside is dead": (
        lambda p: lost(p, at_host3(p), dead_hosts={OUTSIDE: "killed"}),
        Verdict.INCONCLUSIVE,
        "agent on outside is gone",
    ),
    "the sender died": (lambda p: lost(p, at_host3(p)[:1], Outcome.SENDER_DEAD), Verdict.INCONCLUSIVE, "sender dead"),
    "a task's host is dead": (
        lambda p: lost(p, at_host3(p)[:1], dead_hosts={"host1": "killed"}),
        Verdict.INCONCLUSIVE,
        "agent on host1",
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_mesh(name: str) -> None:
    change, verdict, text = TABLE[name]
    found = check(change(proven()))
    assert (found.verdict, text in found.explanation) == (verdict, True), found.explanation
    assert [(f.id, f.hosts) for f in publish_findings([], [], [found])] == (
        [("mesh-unbalanced:8443/tcp", ("host3",))] if verdict is Verdict.FAIL else []
    )


def test_a_datagram_that_a_task_saw_has_come_through() -> None:
    silent = proven("udp")
    answers = {i: "" for i in silent.seen.answers if i not in at_host3(silent)}
    assert check(changed(silent, replace(silent.seen, answers=answers))).verdict is Verdict.PASS
    assert check(lost(silent, at_host3(silent)[:1])).verdict is Verdict.FAIL


def test_a_host_without_ipvs_is_not_tried_and_says_why() -> None:
    p = changed(proven(), proven().seen, missing_features={"host3": ("ip_vs",)})
    untried = Published(
        lab(), p.facts.plan, p.seen, p.host_ports, {i: d for i, d in repeats(p).items() if d.host != "host3"}
    )
    assert (check(untried).verdict, "no IP_VS" in check(untried).explanation) == (Verdict.INCONCLUSIVE, True)


def test_a_port_that_does_not_answer_at_all_is_one_fault() -> None:
    found = check(lost(proven(), at_host3(proven())))
    shut = replace(found, id=ID.removesuffix("/balance"))
    assert [f.id for f in publish_findings([shut], [], [found])] == ["port-shut:8443/tcp"]
