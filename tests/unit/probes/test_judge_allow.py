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
from swarmlab.model.scenario import Network
from swarmlab.probes.traffic.plan import plan
from tests.unit.probes import labs
from tests.unit.probes.labs import THREE_TIER, changed, find, honest, judge, reach, scenario, service, task, three_tier
from tests.unit.probes.test_judge_deny import evidences

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


# Ids, and expectations that come to nothing.


def test_ids_are_unique_and_hold_no_address() -> None:
    ids = [c.id for c in judge(THREE_TIER, three_tier(), honest(three_tier()))]
    assert len(set(ids)) == len(ids)
    assert not [i for i in ids if "10.0." in i or str(labs.PORT) in i]


def test_a_second_address_on_one_network_and_a_port_show_in_the_id() -> None:
    s = scenario(
        service("a", "front-net"),
        service("b", "front-net"),
        expect=[reach("a", "b", network="front-net", protocol="tcp", port=80)],
    )
    ends = [
        task("a.1", "h", ("10.0.1.8", "front-net")),
        task("b.1", "h", ("10.0.1.9", "front-net"), ("10.0.1.10", "front-net")),
    ]
    p = plan(s, ends, timeout=1, run=labs.RUN)
    assert [c.id for c in judge(s, p, honest(p))] == [
        "reach:a.1->b.1@front-net/tcp:80",
        "reach:a.1->b.1@front-net/tcp:80#2",
    ]


def test_contradicting_wishes_are_two_checks_with_two_ids_of_which_one_fails() -> None:
    wishes = [reach("a", "b", w, "front-net", protocol="tcp", derived=False) for w in ("allow", "deny")]
    s = scenario(service("a", "front-net"), service("b", "front-net"), expect=wishes)
    p = plan(
        s,
        [task("a.1", "h", ("10.0.1.8", "front-net")), task("b.1", "h", ("10.0.1.9", "front-net"))],
        timeout=1,
        run=labs.RUN,
    )
    m = changed(honest(p), *(Evidence(x.id, Outcome.ANSWERED, responder=x.target, left=True) for x in p.probes))
    assert [(c.id, c.verdict) for c in judge(s, p, m)] == [
        ("reach:a.1->b.1@front-net/tcp", Verdict.PASS), ("reach:a.1->b.1@front-net/tcp!deny", Verdict.FAIL),
    ]  # fmt: skip


def only(s: object, *ends: object) -> list[tuple[str, Verdict, str]]:
    p = plan(s, ends, timeout=1, run=labs.RUN)  # type: ignore[arg-type]
    return [(c.id, c.verdict, c.explanation) for c in judge(s, p, honest(p))]  # type: ignore[arg-type]


A, B = service("a", "front-net"), service("b", "front-net")
A1, B1 = task("a.1", "h", ("10.0.1.8", "front-net")), task("b.1", "h", ("10.0.1.9", "front-net"))


@pytest.mark.parametrize("wish", ["allow", "deny"])
def test_a_target_without_tasks_is_inconclusive_not_forgotten(wish: str) -> None:
    s = scenario(A, B, expect=[reach("a", "b", wish, "front-net")])
    assert only(s, A1) == [("reach:a->b@front-net", Verdict.INCONCLUSIVE, "Nothing to measure: b has no running task.")]


def test_a_task_that_is_missing_from_several_is_said_aloud() -> None:
    s = scenario(
        A, service("b", "front-net", replicas=3), expect=[reach("a", "b", network="front-net", protocol="tcp")]
    )
    verdicts = only(s, A1, B1)
    assert (
        "reach:a->b@front-net/tcp",
        Verdict.INCONCLUSIVE,
        "Nothing to measure: only 1 of 3 tasks of b are running.",
    ) in verdicts
    assert ("reach:a.1->b.1@front-net/tcp", Verdict.PASS, "") in verdicts


def test_a_target_without_an_address_on_the_network_is_inconclusive() -> None:
    s = scenario(A, B, expect=[reach("a", "b", "deny", "back-net")])
    ((id_, verdict, text),) = only(s, A1, B1)
    assert (id_, verdict) == ("reach:a.1->b.1@back-net", Verdict.INCONCLUSIVE)
    assert "b.1 has no address on back-net" in text


def test_an_internal_only_target_cannot_be_meant_by_the_gateway_bridge() -> None:
    s = scenario(A, service("b", "back-net"), expect=[reach("a", "b", "deny", "docker_gwbridge")])
    assert only(s, A1, task("b.1", "h", ("10.0.2.9", "back-net"))) == []
    assert [v for _, v, _ in only(s, A1, B1)] == [Verdict.INCONCLUSIVE], (
        "a task with a way out has an address there: it is only not known"
    )
    assert [v for _, v, _ in only(s, A1, task("b.1", "h"))] == [Verdict.INCONCLUSIVE], (
        "no address known at all is another matter"
    )


def test_a_single_task_has_no_one_of_its_own_to_reach() -> None:
    assert only(scenario(A, expect=[reach("a", "a", network="front-net")]), A1) == []
    two = scenario(service("a", "front-net", replicas=2), expect=[reach("a", "a", network="front-net")])
    assert [v for _, v, _ in only(two, A1)] == [Verdict.INCONCLUSIVE]


def test_a_vip_that_is_not_known_is_inconclusive() -> None:
    s = scenario(
        A,
        B,
        expect=[Expectation(kind=Kind.VIP, expected=ALLOW, because="x", source="a", target="b", network="front-net")],
    )
    assert [v for _, v, _ in only(s, A1, B1)] == [Verdict.INCONCLUSIVE]


def test_an_encrypted_overlay_cannot_cross_kernels_without_esp_so_silence_is_no_violation() -> None:
    networks = (Network("front-net", options={"encrypted": ""}), Network("back-net"))
    p = three_tier()
    secret = replace(THREE_TIER, networks={n.key: n for n in networks})
    silent = [x for x in p.probes if x.protocol == "tcp" and x.expectation and x.expectation.expected == ALLOW]
    m = changed(honest(p), *(Evidence(x.id, Outcome.TIMED_OUT, left=True, seen=False) for x in silent))
    found = {c.id: c for c in judge(secret, p, replace(m, missing_features={"host1": ("esp",)}))}
    crossing = found[ID]
    assert (crossing.verdict, crossing.observed) == (Verdict.INCONCLUSIVE, "unknown")
    assert "the kernel of host1 has no ESP (XFRM)" in crossing.explanation
    assert found["reach:front.2->api.1@front-net/tcp"].verdict is Verdict.FAIL, "on one host nothing is encrypted"
    assert found["reach:front.2->api.2@front-net/tcp"].verdict is Verdict.FAIL, "both of its kernels have ESP"
    assert found["reach:api.1->db.1@back-net/tcp"].verdict is Verdict.FAIL, "a plain overlay needs none"
    assert {
        c.verdict for c in judge(secret, p, replace(honest(p), missing_features={"host1": ("esp",)})) if c.id == ID
    } == {Verdict.PASS}


def test_what_a_person_overrode_is_not_called_unmeasured() -> None:
    s = scenario(
        A, B, expect=[reach("a", "b", network="front-net"), reach("a", "b", "deny", "front-net", derived=False)]
    )
    assert len(only(s, A1, B1)) == 3


def test_an_empty_plan_against_a_scenario_with_expectations_passes_nothing() -> None:
    p = replace(three_tier(), probes=(), names=())
    assert {c.verdict for c in judge(THREE_TIER, p, Measurement())} == {Verdict.INCONCLUSIVE}


@pytest.mark.parametrize(
    ("sender", "verdict"), [("front.1", Verdict.INCONCLUSIVE), ("api.2", Verdict.INCONCLUSIVE), ("api.1", Verdict.FAIL)]
)
def test_a_kernel_without_room_for_neighbours_drops_answers_as_silently_as_requests(
    sender: str, verdict: Verdict
) -> None:
    """On either end's host (host1, host3): then silence is no proof of anything. Another host's full table is no
    excuse.
    """
    p = three_tier()
    m = honest(p)
    full = next(x for x in p.probes if x.source == sender and x.protocol == "udp")
    m = changed(
        m, replace(m.probes[full.id], outcome=Outcome.SEND_ERROR, detail="is the neighbour table full? (gc_thresh3)")
    )
    assert measured(m, **LOST).verdict is verdict
