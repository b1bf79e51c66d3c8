"""The truth table of an allow: only an answer by the right responder passes, and a failure says where the packet
went.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from swarmlab.model.check import Check, Verdict
from swarmlab.model.evidence import Evidence, Measurement, Outcome
from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import ALLOW, Kind
from swarmlab.probes.traffic.plan import plan
from tests.unit.probes import labs
from tests.unit.probes.deny_changes import evidences
from tests.unit.probes.labs import THREE_TIER, changed, find, honest, judge, scenario, service, task, three_tier

ID = "reach:front.1->api.2@front-net/tcp"


def check_of(**more: object) -> Check:
    return measured(honest(three_tier()), **more)


def measured(m: Measurement, **more: object) -> Check:
    p = three_tier()
    probe = find(p, "front.1", "api.2")
    m = changed(m, replace(m.probes[probe.id], **more))  # type: ignore[arg-type]
    return next(c for c in judge(THREE_TIER, p, m) if c.id == ID)


def test_an_answer_by_the_target_passes() -> None:
    check = check_of()
    assert (check.verdict, check.observed, check.explanation) == (Verdict.PASS, "allow", "")
    assert (check.source_service, check.target_service, check.source_host, check.target_host) == (
        "front",
        "api",
        "host1",
        "host3",
    )


LOST = {"outcome": Outcome.TIMED_OUT, "responder": "", "left": True, "seen": False, "answer_left": False}


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"outcome": Outcome.ANSWERED, "responder": "front.2"}, "front.2 answered in place of api.2"),
        ({"outcome": Outcome.ANSWERED, "responder": "", "seen": False}, "it was not api.2"),
        (dict(LOST, left=False), "the request never left front.1"),
        (dict(LOST, left=False, asked=True), "its question for the address's hardware address did, unanswered"),
        (LOST, "no answer in time; request lost from host1 to host3."),
        (dict(LOST, seen=True, answer_left=True), "answer lost from host3 to host1."),
        (dict(LOST, seen=True, answer_left=False), "the request arrived at api.2 but was not answered"),
        (dict(LOST, seen=True, answer_left=None), "whether an answer left is not known"),
        (dict(LOST, seen=None), "where it was lost is not known"),
        (dict(LOST, seen=None, lost_records=7), "the captures dropped 7 records"),
        (dict(LOST, outcome=Outcome.UNREACHABLE), "unreachable; request lost from host1 to host3"),
        (
            dict(LOST, outcome=Outcome.NO_ROUTE, left=False),
            "the kernel has no route, so the request never left front.1",
        ),
        (
            dict(LOST, outcome=Outcome.REFUSED),
            "rejected on the way although the listener is alive (it never arrived there)",
        ),
    ],
)
def test_no_right_answer_fails_and_says_where_the_packet_went(more: dict[str, object], text: str) -> None:
    check = check_of(**more)
    assert (check.verdict, check.observed) == (Verdict.FAIL, "deny")
    assert text in check.explanation


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"outcome": Outcome.SEND_ERROR, "responder": "", "detail": "ENOBUFS"}, "send error (ENOBUFS)"),
        ({"outcome": Outcome.SENDER_DEAD, "responder": ""}, "front.1: sender dead"),
        ({"outcome": Outcome.LISTENER_DEAD, "responder": ""}, "api.2: listener dead"),
        ({"outcome": Outcome.ANSWERED, "responder": ""}, "not known whether it was api.2"),
    ],
)
def test_what_was_not_measured_is_inconclusive(more: dict[str, object], text: str) -> None:
    check = check_of(**more)
    assert (check.verdict, check.observed) == (Verdict.INCONCLUSIVE, "unknown")
    assert text in check.explanation


def test_silence_of_a_host_that_died_in_mid_run_is_inconclusive() -> None:
    dead = replace(honest(three_tier()), dead_hosts={"host3": "broken pipe"})
    assert measured(dead, **LOST).verdict is Verdict.INCONCLUSIVE
    assert measured(dead).verdict is Verdict.PASS, "an answer that came stays an answer"


def test_a_paused_target_does_not_undo_an_answer_but_excuses_silence() -> None:
    p = three_tier()
    paused = replace(p, endpoints={**p.endpoints, "api.2": replace(p.endpoints["api.2"], impaired="paused")})
    probe = find(p, "front.1", "api.2")
    silent = changed(honest(p), Evidence(probe.id, Outcome.TIMED_OUT, left=True, seen=False))
    found = {
        v: next(c for c in judge(THREE_TIER, paused, m) if c.id == ID).verdict
        for v, m in (("answered", honest(p)), ("silent", silent))
    }
    assert found == {"answered": Verdict.PASS, "silent": Verdict.INCONCLUSIVE}


@settings(max_examples=300, deadline=None)
@given(evidence=evidences)
def test_an_allow_never_passes_without_an_answer_by_the_right_responder(evidence: Evidence) -> None:
    p = three_tier()
    probe = find(p, "api.1", "db.1")
    checks = judge(THREE_TIER, p, changed(honest(p), replace(evidence, probe=probe.id)))
    check = next(c for c in checks if c.id == "reach:api.1->db.1@back-net/tcp")
    assert (check.verdict is Verdict.PASS) == (evidence.outcome is Outcome.ANSWERED and evidence.responder == "db.1")


VIP = scenario(
    service("a", "front-net"),
    service("b", "front-net", replicas=2, mode="vip"),
    expect=[
        Expectation(
            kind=Kind.VIP, expected=ALLOW, because="x", source="a", target="b", network="front-net", protocol="tcp"
        )
    ],
)


@pytest.mark.parametrize(
    ("evidence", "missing_features", "verdict"),
    [
        (Evidence(0, Outcome.ANSWERED, responder="b.2"), False, Verdict.PASS),
        (Evidence(0, Outcome.ANSWERED, responder="b.2"), True, Verdict.PASS),
        (Evidence(0, Outcome.ANSWERED, responder="a.1"), False, Verdict.FAIL),
        (Evidence(0, Outcome.TIMED_OUT), False, Verdict.FAIL),
        (Evidence(0, Outcome.TIMED_OUT), True, Verdict.INCONCLUSIVE),
    ],
)
def test_a_virtual_address_may_be_answered_by_any_task_and_needs_ip_vs(
    evidence: Evidence, missing_features: bool, verdict: Verdict
) -> None:
    ends = [task("a.1", "host1", ("10.0.1.8", "front-net"))]
    ends += [task(f"b.{i}", f"host{i}", (f"10.0.1.1{i}", "front-net")) for i in (1, 2)]
    p = plan(VIP, ends, timeout=1, run=labs.RUN, vips={("b", "front-net"): "10.0.1.99"})
    m = Measurement({0: evidence}, missing_features={"host1": ("ip_vs",)} if missing_features else {})
    (check,) = judge(VIP, p, m)
    assert (check.id, check.verdict) == ("vip:a.1->b@front-net/tcp", verdict)
    assert ("IP_VS" in check.explanation) == (verdict is Verdict.INCONCLUSIVE)
