"""measure() against fake agents that speak the protocol: merging of both sides, deaths, ports, untrusted answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from swarmlab.agent.protocol.message import Request
from swarmlab.errors import DeadlinePassed
from swarmlab.events import Bus
from swarmlab.model.check import Check, Finding, Verdict
from swarmlab.model.evidence import Measurement, Outcome
from swarmlab.model.probe import ProbePlan
from swarmlab.probes.session.link import AgentLink
from swarmlab.probes.session.round import measure
from tests.unit.probes.fakes import A, FakeAgent, World, agents
from tests.unit.probes.labs import PORT, THREE_TIER, find, findings, judge, three_tier

P = three_tier()


def measured(fakes: Mapping[str, AgentLink], plan: ProbePlan = P) -> Measurement:
    return measure(plan, fakes, bus=Bus())


def run(world: World | None = None, **special: FakeAgent) -> tuple[Measurement, dict[str, Check], tuple[Finding, ...]]:
    m = measured(agents(world or World(P), **special))
    checks = judge(THREE_TIER, P, m)
    return m, {c.id: c for c in checks}, findings(THREE_TIER, P, m)


def count(checks: dict[str, Check]) -> Counter[str]:
    return Counter(str(c.verdict) for c in checks.values())


def one_way(here: str, there: str) -> World:
    return World(P, drop=lambda a, b: (a, b) == (here, there))


def test_a_healthy_lab_is_all_green_and_has_no_connectivity_finding() -> None:
    m, checks, found = run()
    assert count(checks) == {"pass": len(checks)}
    assert (found, m.dead_hosts, m.dead_endpoints) == ((), {}, {})
    assert m.missing_features["host1"] == ("ip_vs",)


def test_hosts_are_asked_in_step_about_what_was_not_answered_and_one_sample_of_the_rest() -> None:
    fakes = agents(World(P))
    measured(fakes)
    assert fakes["host3"].ops() == ["hello", "open", "fire", "seen", "close"]
    asked = [P.probes[q["id"]] for q in fakes["host3"].requests[3]["probes"]]
    answered = [(p.target, p.protocol) for p in asked if not p.expectation or p.expectation.expected != "deny"]
    assert len(answered) == len(set(answered)), (
        "one answered probe for each target and protocol shows that its capture can see"
    )
    assert {p.target for p in asked if p.expectation and p.expectation.expected == "deny"} == {"db.1"}


def test_a_capture_that_sees_nothing_unproves_the_denies_of_its_target() -> None:
    def capture_missed(answer: dict[str, Any]) -> dict[str, Any]:
        return (
            {**answer, "probes": [{**p, "seen": False} for p in answer["probes"]]} if answer["op"] == "seen" else answer
        )

    world = World(P)
    m, checks, _ = run(world, host3=FakeAgent("host3", world, garble=capture_missed))
    assert ("db.1", "tcp") in m.capture_missed
    denied = [c for c in checks.values() if c.kind == "reach" and c.expected == "deny" and c.target == "db.1"]
    assert denied
    assert {c.verdict for c in denied} == {Verdict.INCONCLUSIVE}
    assert all("missed a" in c.explanation for c in denied)


def test_an_echo_reply_is_attributed_by_tcp_to_the_same_address() -> None:
    m, _, _ = run()
    evidence = m.probes[find(P, "front.1", "api.1", "icmp").id]
    assert (evidence.responder, evidence.detail) == ("api.1", "the same address answered tcp as api.1 in this run")


def test_an_echo_reply_without_tcp_is_attributed_by_the_targets_capture() -> None:
    probe = find(P, "front.1", "api.1", "icmp")
    others = {find(P, "front.1", "api.1", p).id for p in ("tcp", "udp")}

    def silent(answer: dict[str, Any]) -> dict[str, Any]:
        for entry in answer.get("probes", []) if answer["op"] == "fire" else []:
            if entry["id"] in others:
                entry.update(outcome="timed_out", responder="")
        return answer

    m, checks, _ = run(host1=FakeAgent("host1", World(P), garble=silent))
    assert (m.probes[probe.id].responder, m.probes[probe.id].detail) == (
        "api.1",
        "the target's own capture saw the request",
    )
    assert checks["reach:front.1->api.1@front-net/icmp"].verdict is Verdict.PASS


@pytest.mark.parametrize(("here", "there"), [("host1", "host3"), ("host3", "host1")])
def test_a_one_way_loss_reddens_the_allows_that_cross_and_unproves_the_denies(here: str, there: str) -> None:
    _, checks, found = run(one_way(here, there))
    crossing = {
        i for i, c in checks.items() if {c.source_host, c.target_host} == {"host1", "host3"} and c.kind == "reach"
    }
    red = {i for i, c in checks.items() if c.verdict is Verdict.FAIL}
    grey = {i for i, c in checks.items() if c.verdict is Verdict.INCONCLUSIVE}
    assert red == {i for i in crossing if checks[i].expected == "allow"}
    assert grey == {i for i in crossing if checks[i].expected == "deny"}
    text = checks["reach:front.1->api.2@front-net/tcp"].explanation
    assert ("request lost from host1 to host3" if here == "host1" else "answer lost from host3 to host1") in text
    assert [(f.id, f.title, f.hosts) for f in found] == [
        (f"vxlan-lost:{here}->{there}", f"UDP/4789 (VXLAN) from {here} to {there} is lost", ("host1", "host3"))
    ]


def test_a_pair_dead_both_ways_is_one_finding() -> None:
    _, _, found = run(World(P, drop=lambda a, b: {a, b} == {"host1", "host3"}))
    assert [f.title for f in found] == ["UDP/4789 (VXLAN) between host1 and host3 is lost both ways"]


def test_a_leak_reddens_exactly_the_cells_that_leak() -> None:
    _, checks, found = run(World(P, leaks=frozenset({("front.1", "db.1")})))
    assert {i for i, c in checks.items() if c.verdict is Verdict.FAIL} == {
        f"reach:front.1->db.1@back-net/{p}" for p in ("tcp", "udp", "icmp")
    }
    assert [(f.id, f.severity, f.hosts) for f in found] == [("leak:front->db", "isolation", ("host1", "host3"))]


def test_a_dead_listener_unproves_the_denies_to_it() -> None:
    m, checks, _ = run(World(P, dead_listeners={"db.1": "nobody accepts"}))
    denies = [c for c in checks.values() if c.expected == "deny" and c.target == "db.1" and c.kind == "reach"]
    assert {c.verdict for c in denies} == {Verdict.INCONCLUSIVE}
    assert "listener dead (nobody accepts; the sender saw: timed_out)" in denies[0].explanation
    assert m.probes[find(P, "api.2", "db.1").id].outcome is Outcome.LISTENER_DEAD


def test_a_listener_that_its_agent_does_not_vouch_for_is_dead() -> None:
    forgetful = FakeAgent("host3", World(P), garble=lambda a: {k: v for k, v in a.items() if k != "listeners"})
    _, checks, _ = run(host3=forgetful)
    assert checks["reach:front.1->db.1@back-net/tcp"].verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("op", ["hello", "open", "fire", "seen"])
def test_a_host_that_dies_takes_only_its_own_evidence_along(op: str) -> None:
    m, checks, _ = run(host3=FakeAgent("host3", World(P), dies_at=op))
    assert m.dead_hosts == {"host3": "host3: the agent ended: killed"}
    assert len(m.probes) == len(P.probes)
    assert {c.verdict for c in checks.values() if "host3" not in (c.source_host, c.target_host)} == {Verdict.PASS}
    denies = [
        c
        for c in checks.values()
        if c.expected == "deny" and c.kind == "reach" and "host3" in (c.source_host, c.target_host)
    ]
    assert {c.verdict for c in denies} == {Verdict.INCONCLUSIVE}


def test_a_host_without_an_agent_is_dead_from_the_start() -> None:
    m = measured({h: a for h, a in agents(World(P)).items() if h != "host2"})
    assert m.dead_hosts == {"host2": "it has no agent"}
    assert m.probes[find(P, "api.1", "db.1").id].outcome is Outcome.SENDER_DEAD


def test_death_at_close_loses_nothing() -> None:
    m, checks, _ = run(host3=FakeAgent("host3", World(P), dies_at="close"))
    assert (m.dead_hosts, count(checks)) == ({}, {"pass": len(checks)})


def test_a_task_that_is_gone_is_dead_and_so_are_its_probes() -> None:
    m, checks, _ = run(host3=FakeAgent("host3", World(P), gone=frozenset({"db.1"})))
    assert m.dead_endpoints == {"db.1": "gone: no such process"}
    assert m.probes[find(P, "db.1", "api.1").id].outcome is Outcome.SENDER_DEAD
    silent = m.probes[find(P, "front.1", "db.1").id]
    assert (silent.outcome, silent.detail) == (
        Outcome.LISTENER_DEAD,
        "gone: no such process; the sender saw: timed_out",
    )
    assert checks["reach:front.1->db.1@back-net/tcp"].verdict is Verdict.INCONCLUSIVE


def test_an_endpoint_without_a_process_is_never_opened_in_the_agents_own_namespace() -> None:
    stopped = replace(
        P, endpoints={**P.endpoints, "db.1": replace(P.endpoints["db.1"], pid=0, impaired="its container does not run")}
    )
    fakes = agents(World(P))
    m = measured(fakes, stopped)
    assert m.dead_endpoints == {"db.1": "gone: its container does not run"}
    assert "db.1" not in [e["id"] for e in fakes["host3"].requests[1]["endpoints"]]


def test_a_taken_port_makes_all_hosts_open_another() -> None:
    fakes = agents(World(P), host2=FakeAgent("host2", World(P), taken=2))
    m = measured(fakes)
    opened = {h: [r["port"] for r in a.requests if r["op"] == "open"] for h, a in fakes.items()}
    assert len(opened["host1"]) == 3
    assert opened["host1"] == opened["host2"] == opened["host3"]
    assert opened["host1"][0] == PORT
    assert len(set(opened["host1"])) == 3
    assert {q["port"] for q in fakes["host1"].requests[-3]["probes"]} == {opened["host1"][-1]}
    assert {c.verdict for c in judge(THREE_TIER, P, m)} == {Verdict.PASS}


def test_a_port_that_is_always_taken_ends_in_dead_endpoints_not_in_a_loop() -> None:
    m, checks, _ = run(host2=FakeAgent("host2", World(P), taken=99))
    assert m.dead_endpoints["front.2"] == "port_taken: in use"
    assert checks["reach:front.2->db.1@back-net/tcp"].verdict is Verdict.INCONCLUSIVE


def test_a_source_port_used_twice_leaves_unknown_what_the_capture_saw() -> None:
    world = World(P, drop=lambda a, b: (a, b) == ("host3", "host1"))

    def same(answer: dict[str, Any]) -> dict[str, Any]:
        for entry in answer.get("probes", []) if answer["op"] == "fire" else []:
            entry["sport"] = 40000
        return answer

    m, _, _ = run(world, **{h: FakeAgent(h, world, garble=same) for h in ("host1", "host2", "host3")})
    assert m.probes[find(P, "front.1", "api.2", "tcp").id].seen is None
    assert m.probes[find(P, "front.1", "api.2", "udp").id].seen is True, "UDP is known by its nonce"


JUNK: dict[str, Any] = {
    "probes": [None, 7, {"id": "x"}, {"id": True}, {"id": 10**9}, {"id": 0, "outcome": ["answered"]}],
    "listeners": [1],
}


@pytest.mark.parametrize(
    "junk",
    [
        JUNK,
        {"probes": "all fine", "names": 3, "listeners": 5, "endpoints": {}},
        {
            "probes": [
                {
                    "id": 0,
                    "outcome": "answered",
                    "responder": {"a": 1},
                    "latency_ms": "x",
                    "sends": float("nan"),
                    "lost_records": 1e400,
                }
            ]
        },
        {"names": [{"id": 0, "outcome": "answered", "rcode": 5, "addresses": "10.0.0.1"}]},
        {},
    ],
)
def test_nonsense_from_an_agent_passes_nothing_of_its_own(junk: dict[str, Any]) -> None:
    _, checks, _ = run(host1=FakeAgent("host1", World(P), garble=lambda answer: {"op": answer["op"], **junk}))
    own = [c for c in checks.values() if c.source_host == "host1" and c.kind in ("reach", "name")]
    assert own
    assert Verdict.PASS not in {c.verdict for c in own}


def test_an_agent_cannot_speak_for_another_hosts_probes() -> None:
    probe = find(P, "api.1", "db.1")  # leaves from host2

    def liar(answer: dict[str, Any]) -> dict[str, Any]:
        return (
            {**answer, "probes": [{"id": probe.id, "outcome": "answered", "responder": "db.1"}]}
            if answer["op"] == "fire"
            else answer
        )

    fakes = agents(
        World(P), host1=FakeAgent("host1", World(P), garble=liar), host2=FakeAgent("host2", World(P), dies_at="fire")
    )
    assert measured(fakes).probes[probe.id].outcome is Outcome.SENDER_DEAD


def test_other_errors_of_a_link_are_that_hosts_alone() -> None:
    class Late(FakeAgent):
        def request(self, message: Request[A], timeout: float) -> A:
            raise DeadlinePassed("no answer for 3 s")

    assert "no answer for 3 s" in measured(agents(World(P), host2=Late("host2", World(P)))).dead_hosts["host2"]


def test_progress_is_told() -> None:
    class Ear:
        def __init__(self) -> None:
            self.heard: list[str] = []

        def notify(self, event: Any) -> None:
            self.heard.append(event.text)

    ear = Ear()
    measure(P, agents(World(P)), bus=Bus([ear]))
    assert any(f"{len(P.probes)} probes" in text for text in ear.heard)
