"""The truth table of a deny: one fully proven case, then one condition knocked out at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from swarmlab.model.check import Verdict
from swarmlab.model.evidence import Evidence, Outcome
from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import ALLOW, DENY, Kind
from swarmlab.probes.traffic.plan import plan
from tests.unit.probes import labs
from tests.unit.probes.deny_changes import (
    DENIED,
    Case,
    both,
    denied,
    endpoint,
    measured,
    proven,
    silent,
    verdict,
    with_evidence,
)
from tests.unit.probes.labs import changed, find, honest, reach, scenario, service, task

PASSES: dict[str, Callable[[Case], Case]] = {
    "timed out, having left": with_evidence(),
    "asked by ARP only": with_evidence(left=False, asked=True, outcome=Outcome.UNREACHABLE),
    "no route": with_evidence(left=False, outcome=Outcome.NO_ROUTE),
    "no route, captures incomplete": with_evidence(left=None, outcome=Outcome.NO_ROUTE, lost_records=9),
    "refused by something else": with_evidence(outcome=Outcome.REFUSED),
    "unreachable": with_evidence(outcome=Outcome.UNREACHABLE),
    "somebody else answered": with_evidence(outcome=Outcome.ANSWERED, responder="api.1"),
    "one of the authorised peers failed": silent(("api.1", "db.1")),
    "no carrier but the scenario's own overlay": silent(("control", "control"), protocol="any"),
    "no carrier but the lab's own control": silent(("front.1", "api.2"), ("api.2", "front.1"), protocol="any"),
}
INCONCLUSIVE: dict[str, tuple[Callable[[Case], Case], str]] = {
    "sender's host dead": (measured(dead_hosts={"host1": "broken pipe"}), "agent on host1 is gone"),
    "target's host dead": (measured(dead_hosts={"host3": "broken pipe"}), "agent on host3 is gone"),
    "sender gone": (measured(dead_endpoints={"front.1": "gone: no such process"}), "front.1 cannot vouch"),
    "target gone": (measured(dead_endpoints={"db.1": "gone: no such process"}), "db.1 cannot vouch"),
    "sender paused": (endpoint("front.1", impaired="its container is paused"), "paused"),
    "target paused": (
        endpoint("db.1", impaired="its container is paused"),
        "db.1 cannot vouch for anything (its container is paused)",
    ),
    "sender dead": (with_evidence(outcome=Outcome.SENDER_DEAD), "sender dead"),
    "listener dead": (
        with_evidence(outcome=Outcome.LISTENER_DEAD, detail="nobody accepts"),
        "db.1: listener dead (nobody accepts)",
    ),
    "kernel out of memory": (with_evidence(outcome=Outcome.SEND_ERROR, detail="ENOBUFS"), "send error (ENOBUFS)"),
    "no evidence at all": (
        lambda c: (c[0], replace(c[1], probes={k: v for k, v in c[1].probes.items() if k != denied(c[0]).id})),
        "sender dead",
    ),
    "captures lost records": (with_evidence(lost_records=3), "dropped 3 records"),
    "a capture that misses what was answered": (
        measured(capture_missed=frozenset({("db.1", "tcp")})),
        "missed a tcp request that was answered",
    ),
    "never left": (with_evidence(left=False), "never left front.1"),
    "unknown whether it left": (with_evidence(left=None), "not known that the request left"),
    "unknown whether it arrived": (with_evidence(seen=None), "not known whether db.1 saw"),
    "no route, arrival unknown": (
        with_evidence(left=False, outcome=Outcome.NO_ROUTE, seen=None),
        "not known whether db.1 saw",
    ),
    "an answer by nobody known": (
        with_evidence(outcome=Outcome.ANSWERED, responder="", seen=None),
        "not known who that was",
    ),
    "no authorised peer reached the target": (silent(("api", "db.1")), "nobody who may reached db.1 by tcp"),
    "peers reached it by another address, its own host not by this one": (
        # db.1's peers are all silent by tcp except over a second address, which the deny does not speak of.
        silent(("api", "db.1"), ("bridge:back-net@host3", "db.1")),
        "nobody who may reached db.1 by tcp",
    ),
    "the sender got no answer": (silent(("front.1", "api")), "front.1 got no answer by tcp"),
    "the pair of hosts carried nothing": (
        silent(("front.1", "api.2"), ("control@host1", "control@host3"), protocol="any", both=True),
        "nothing was answered between host1 and host3",
    ),
}
FAILS: dict[str, tuple[Callable[[Case], Case], str]] = {
    "answered": (with_evidence(outcome=Outcome.ANSWERED, responder="db.1"), "db.1 answered, although it must not"),
    "arrived, unanswered": (with_evidence(seen=True), "arrived at 10.0.2.7 of db.1, though no answer came back"),
    "arrived, refused": (with_evidence(outcome=Outcome.REFUSED, seen=True), "refused"),
    "arrived, target paused": (both(with_evidence(seen=True), endpoint("db.1", impaired="paused")), "arrived"),
    "answered, nobody else reached it": (
        both(with_evidence(outcome=Outcome.ANSWERED, responder="db.1"), silent(("api", "db.1"))),
        "db.1 answered",
    ),
    "answered, captures incomplete": (
        with_evidence(outcome=Outcome.ANSWERED, responder="db.1", lost_records=5),
        "db.1 answered",
    ),
    "arrived, sender's agent died later": (
        both(with_evidence(seen=True), measured(dead_hosts={"host1": "gone"})),
        "arrived",
    ),
}


@pytest.mark.parametrize("change", PASSES.values(), ids=PASSES.keys())
def test_a_deny_passes_with_every_condition_met(change: Callable[[Case], Case]) -> None:
    check = verdict(*change(proven()))
    assert (check.verdict, check.observed) == (Verdict.PASS, "deny"), check.explanation


@pytest.mark.parametrize(("change", "reason"), INCONCLUSIVE.values(), ids=INCONCLUSIVE.keys())
def test_a_deny_without_one_condition_is_inconclusive_and_names_it(change: Callable[[Case], Case], reason: str) -> None:
    check = verdict(*change(proven()))
    assert (check.verdict, check.observed) == (Verdict.INCONCLUSIVE, "unknown"), check.explanation
    assert reason in check.explanation


@pytest.mark.parametrize(("change", "reason"), FAILS.values(), ids=FAILS.keys())
def test_a_deny_that_was_violated_fails_whatever_else_is_unknown(change: Callable[[Case], Case], reason: str) -> None:
    check = verdict(*change(proven()))
    assert (check.verdict, check.observed) == (Verdict.FAIL, "allow"), check.explanation
    assert reason in check.explanation


def test_a_passed_deny_records_how_it_was_sent_and_its_controls() -> None:
    check = verdict(*proven())
    assert check.explanation == "The request left front.1 by eth0; db.1 was alive and saw nothing of it."
    controls = check.evidence.to_json()["controls"]
    assert isinstance(controls, list)
    assert {c["proves"] for c in controls} == {
        "the target can be reached",
        "the sender can send",
        "the pair of hosts carries traffic",
    }
    no_route = verdict(*with_evidence(left=False, outcome=Outcome.NO_ROUTE)(proven()))
    assert "no route for front.1 to 10.0.2.7: nothing left" in no_route.explanation
    asked = verdict(*with_evidence(left=False, asked=True)(proven()))
    assert "asked who has 10.0.2.7 and learnt nothing" in asked.explanation


def test_another_protocols_twin_does_not_do() -> None:
    case = silent(("api", "db.1"), protocol="udp")(proven())
    assert verdict(*case).verdict is Verdict.PASS
    assert verdict(*case, DENIED.replace("/tcp", "/udp")).verdict is Verdict.INCONCLUSIVE


# Nobody is authorised at all: the bridges take the place of peers.

LONELY = scenario(service("a", "front-net"), service("b", "back-net"), expect=[reach("a", "b", DENY, protocol="tcp")])
LONELY_ID = "reach:a.1->b.1@back-net/tcp"


def lonely() -> Case:
    ends = [
        task("a.1", "host1", ("10.0.1.8", "front-net")),
        task("b.1", "host2", ("10.0.2.8", "back-net")),
        *labs.ENDPOINTS[5:],
    ]
    p = plan(LONELY, ends, timeout=1, run=labs.RUN, port=labs.PORT)
    return p, honest(p)


def test_where_nobody_may_the_hosts_own_bridges_are_the_controls() -> None:
    assert verdict(*lonely(), LONELY_ID, LONELY).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ("bridge:back-net@host2", "b.1", "b.1 was not reached by tcp in this run (tried by bridge:back-net@host2)"),
        ("a.1", "bridge:front-net@host1", "a.1 got no tcp answer in this run (asked bridge:front-net@host1)"),
    ],
)
def test_without_peers_a_silent_bridge_makes_it_inconclusive(source: str, target: str, reason: str) -> None:
    p, m = lonely()
    check = verdict(
        p, changed(m, Evidence(find(p, source, target).id, Outcome.TIMED_OUT, left=True, seen=False)), LONELY_ID, LONELY
    )
    assert check.verdict is Verdict.INCONCLUSIVE
    assert reason in check.explanation


def test_without_peers_and_without_bridges_it_is_inconclusive() -> None:
    p, m = lonely()
    bare = replace(p, probes=tuple(x for x in p.probes if "bridge" not in x.source + x.target))
    check = verdict(bare, m, LONELY_ID, LONELY)
    assert check.verdict is Verdict.INCONCLUSIVE
    assert "no bridge of its host is known" in check.explanation


def test_peers_that_reach_it_elsewhere_do_not_vouch_for_an_address_that_its_own_host_cannot_reach() -> None:
    s = scenario(
        service("a", "front-net"),
        service("peer", "back-net"),
        service("b", "back-net", "third"),
        expect=[
            reach("a", "b", DENY, "third", protocol="tcp"),
            reach("a", "a2", network="front-net"),
            reach("peer", "b", network="back-net"),
            reach("a", "peer", ALLOW, "back-net", protocol="tcp"),
        ],
    )
    ends = [
        task("a.1", "host1", ("10.0.1.8", "front-net")),
        task("peer.1", "host2", ("10.0.2.9", "back-net")),
        task("b.1", "host2", ("10.0.2.8", "back-net"), ("10.0.3.8", "third")),
        labs.bridge("third", "host2", "10.0.3.1"),
        *labs.ENDPOINTS[5:],
    ]
    p = plan(s, ends, timeout=1, run=labs.RUN, port=labs.PORT)
    id_ = "reach:a.1->b.1@third/tcp"
    assert verdict(p, honest(p), id_, s).verdict is Verdict.PASS
    dead = changed(
        honest(p), Evidence(find(p, "bridge:third@host2", "b.1").id, Outcome.TIMED_OUT, left=True, seen=False)
    )
    assert "did not answer its own host either" in verdict(p, dead, id_, s).explanation
    unknown = changed(honest(p), Evidence(find(p, "bridge:third@host2", "b.1").id, Outcome.SENDER_DEAD))
    assert verdict(p, unknown, id_, s).verdict is Verdict.PASS, (
        "a bridge that is not there says nothing against the address"
    )


def test_the_senders_own_address_is_delivered_to_itself() -> None:
    case = with_evidence(outcome=Outcome.ANSWERED, responder="front.1", left=None)(proven())
    p, m = case
    own = task("front.1", "host1", ("10.0.1.3", "front-net"), ("10.0.2.7", "docker_gwbridge"))
    denied = next(
        x for x in p.probes if (x.source, x.target, x.network, x.protocol) == ("front.1", "db.1", "back-net", "tcp")
    )
    local = tuple(replace(x, network="docker_gwbridge") if x is denied else x for x in p.probes)
    plugged = replace(p, probes=local, endpoints={**p.endpoints, "front.1": own})
    check = verdict(plugged, m, DENIED.replace("back-net", "docker_gwbridge"))
    assert check.verdict is Verdict.PASS
    assert check.explanation == "10.0.2.7 is front.1's own address on host1: delivered to itself, never to db.1."


def test_an_overlay_address_that_the_sender_holds_too_proves_nothing() -> None:
    p, m = with_evidence(outcome=Outcome.ANSWERED, responder="front.1", left=None)(proven())
    own = task("front.1", "host1", ("10.0.1.3", "front-net"), ("10.0.2.7", "docker_gwbridge"))
    check = verdict(replace(p, endpoints={**p.endpoints, "front.1": own}), m)
    assert check.verdict is Verdict.INCONCLUSIVE
    assert "10.0.2.7 is front.1's own address too" in check.explanation


def test_a_sender_plugged_into_the_targets_overlay_is_a_leak_whatever_the_packet_did() -> None:
    p, m = proven()
    leaked = task("front.1", "host1", ("10.0.1.3", "front-net"), ("10.0.2.99", "back-net"))
    check = verdict(replace(p, endpoints={**p.endpoints, "front.1": leaked}), m)
    assert check.verdict is Verdict.FAIL
    assert (
        check.explanation
        == "front.1 is plugged into back-net (10.0.2.99), where the file does not put it and where db.1 is."
    )


def test_on_one_host_no_pair_has_to_carry_traffic() -> None:
    p, m = silent(("control", "control"), protocol="any")(proven())
    here = {**p.endpoints, "db.1": replace(p.endpoints["db.1"], host="host1")}
    assert verdict(replace(p, endpoints=here), m).verdict is Verdict.PASS


def test_a_denied_virtual_address_needs_a_kernel_that_has_them() -> None:
    s = scenario(
        service("a", "front-net"),
        service("c", "back-net"),
        service("b", "back-net", mode="vip"),
        expect=[
            Expectation(
                kind=Kind.VIP, expected=DENY, because="x", source="a", target="b", network="back-net", protocol="tcp"
            ),
            Expectation(
                kind=Kind.VIP, expected=ALLOW, because="x", source="c", target="b", network="back-net", protocol="tcp"
            ),
        ],
    )
    ends = [task("a.1", "host1", ("10.0.1.8", "front-net")), task("b.1", "host2", ("10.0.2.8", "back-net"))]
    ends += [task("c.1", "host2", ("10.0.2.9", "back-net")), *labs.ENDPOINTS[5:]]
    p = plan(s, ends, timeout=1, run=labs.RUN, port=labs.PORT, vips={("b", "back-net"): "10.0.2.99"})
    reaches = changed(honest(p), Evidence(find(p, "c.1", "b").id, Outcome.ANSWERED, responder="b.1", left=True))
    id_ = "vip:a.1->b@back-net/tcp"
    assert verdict(p, reaches, id_, s).verdict is Verdict.PASS
    lacking = verdict(p, replace(reaches, missing_features={"host1": ("ip_vs",)}), id_, s)
    assert (lacking.verdict, "the kernel of host1 has no IP_VS" in lacking.explanation) == (Verdict.INCONCLUSIVE, True)
    reached = changed(reaches, Evidence(find(p, "a.1", "b").id, Outcome.ANSWERED, responder="b.1", left=True))
    assert verdict(p, reached, id_, s).verdict is Verdict.FAIL
