"""What is said of expectations that come to nothing, or to less than they should; and ids."""

from __future__ import annotations

from dataclasses import replace

import pytest

from swarmlab.model.check import Verdict
from swarmlab.model.evidence import Evidence, Measurement, Outcome
from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import ALLOW, Kind
from swarmlab.model.scenario import Network
from swarmlab.probes.traffic.plan import plan
from tests.unit.probes import labs
from tests.unit.probes.labs import THREE_TIER, changed, honest, judge, reach, scenario, service, task, three_tier
from tests.unit.probes.test_judge_allow import ID, LOST, measured


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
