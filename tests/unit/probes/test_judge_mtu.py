"""Verdicts on sizes: a pass and a fail each stand on conditions, and without any one of them nothing is proven."""

from __future__ import annotations

from dataclasses import replace

import pytest

from swarmlab.model.check import Check, Finding, Verdict
from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import Kind
from swarmlab.model.mtu import BulkEvidence, MtuEvidence, MtuMeasurement, MtuPlan, SizeProbe, at_most, needed
from swarmlab.model.scenario import Network
from swarmlab.probes.mtu.facts import Sizes
from swarmlab.probes.mtu.findings import mtu_findings
from swarmlab.probes.mtu.judge import size_checks
from swarmlab.probes.mtu.plan import plan
from tests.unit.probes.labs import ENDPOINTS, THREE_TIER, task

EXPECT = tuple(
    Expectation(kind=Kind.MTU, expected="fits", because="because", network=n) for n in ("front-net", "back-net")
)
SCENARIO = replace(THREE_TIER, expectations=EXPECT)
PLAN = plan(SCENARIO, ENDPOINTS, timeout=2.0)
WAY = "mtu:back-net@host2->host3"


def honest(p: MtuPlan = PLAN) -> MtuMeasurement:
    return MtuMeasurement(
        evidence={t.id: honest_trial(t) for t in p.probes}, fragments={f"host{i}": 0 for i in (1, 2, 3)}
    )


def honest_trial(t: SizeProbe) -> MtuEvidence:
    mtu = 1500 if t.expectation is None else 1450
    passed = MtuEvidence(
        t.id,
        interface="eth0",
        mtu=mtu,
        small=True,
        full=True,
        largest=mtu,
        exact=True,
        tries=1,
        responder=t.target,
    )
    if t.expectation is None:
        return passed
    control, bulk = (
        BulkEvidence(size=size, responder=t.target, moved=size, ms=0.5, outcome="answered") for size in (64, 262144)
    )
    return replace(passed, control=control, bulk=bulk)


def probe(network: str, source: str = "host2", target: str = "host3") -> SizeProbe:
    return next(t for t in PLAN.probes if (t.network, t.source_host, t.target_host) == (network, source, target))


def changed(m: MtuMeasurement, t: SizeProbe, **values: object) -> MtuMeasurement:
    return replace(m, evidence={**m.evidence, t.id: replace(m.evidence[t.id], **values)})  # type: ignore[arg-type]


def bulked(m: MtuMeasurement, t: SizeProbe, **values: object) -> MtuMeasurement:
    bulk = m.evidence[t.id].bulk
    assert bulk is not None
    return changed(m, t, bulk=replace(bulk, **values))  # type: ignore[arg-type]


def judged(m: MtuMeasurement, encrypted: bool = False) -> dict[str, Check]:
    return {c.id: c for c in size_checks(sizes(m, encrypted))}


def sizes(m: MtuMeasurement, encrypted: bool = False) -> Sizes:
    options = {"encrypted": ""} if encrypted else {}
    return Sizes(
        replace(SCENARIO, networks={**SCENARIO.networks, "back-net": Network("back-net", options=options)}), PLAN, m
    )


def findings(m: MtuMeasurement, encrypted: bool = False) -> list[Finding]:
    found = sizes(m, encrypted)
    return list(mtu_findings(found, list(size_checks(found))))


BACK, BENEATH = probe("back-net"), probe("underlay")
LOST = {"full": False, "largest": 1250, "tries": 6}
NARROW = {"full": False, "largest": 1300, "tries": 6, "exact": True}
STALLED = {"responder": "", "moved": 10_000, "outcome": "timed_out", "idle_ms": 1900.0, "ms": None}


def test_everything_fits_and_nothing_is_found() -> None:
    checks = judged(honest())
    assert {c.verdict for c in checks.values()} == {Verdict.PASS}
    assert {c.observed for c in checks.values()} == {"fits"}
    ways = [f"front-net@host{a}->host{b}" for a in (1, 2, 3) for b in (1, 2, 3) if a != b] + [
        "back-net@host2->host3",
        "back-net@host3->host2",
    ]
    assert checks.keys() == {f"mtu:{way}{part}" for way in ways for part in ("", "/bulk")}
    assert findings(honest()) == []


def test_evidence_holds_what_the_report_format_names_and_nothing_of_the_plan() -> None:
    checks = judged(honest())
    assert list(checks[WAY].evidence.to_json()) == [
        "error", "interface", "mtu", "small", "full", "largest", "exact", "tries", "responder", "detail",
        "address", "outer", "underlay", "fragments_arrived",
    ]  # fmt: skip
    assert list(checks[f"{WAY}/bulk"].evidence.to_json()) == [
        "size", "responder", "moved", "ms", "idle_ms", "outcome", "detail", "address", "error", "controls",
    ]  # fmt: skip


def test_a_full_size_packet_that_is_lost_beside_small_ones_is_red_in_its_direction_only() -> None:
    checks = judged(changed(honest(), BACK, **LOST))
    assert {c.id for c in checks.values() if c.verdict is not Verdict.PASS} == {WAY}
    assert (checks[WAY].verdict, checks[WAY].observed) == (Verdict.FAIL, "too big")
    assert "the largest that passes is 1250" in checks[WAY].explanation


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"small": False, "largest": 0}, "not even small packets"),
        ({"tries": 2}, "could be sent only 2 times"),
        ({"responder": "front.1"}, "front.1 answered in place of"),
        ({"error": "gone: no such process"}, "no such process"),
    ],
)
def test_a_lost_packet_proves_nothing_without(values: dict[str, object], reason: str) -> None:
    check = judged(changed(honest(), BACK, **{**LOST, **values}))[WAY]
    assert (check.verdict, check.observed) == (Verdict.INCONCLUSIVE, "unknown")
    assert reason in check.explanation


@pytest.mark.parametrize("part", ["", "/bulk"])
@pytest.mark.parametrize(
    "broken",
    [
        replace(honest(), dead_hosts={"host3": "the agent ended"}),
        replace(honest(), dead_hosts={"host2": "the agent ended"}),
        replace(honest(), dead_endpoints={BACK.target: "gone: paused"}),
        replace(honest(), dead_endpoints={BACK.source: "gone: paused"}),
        replace(honest(), evidence={k: v for k, v in honest().evidence.items() if k != BACK.id}),
    ],
    ids=["target's agent", "sender's agent", "target", "sender", "no evidence"],
)
def test_who_is_dead_proves_nothing(part: str, broken: MtuMeasurement) -> None:
    assert judged(broken)[WAY + part].verdict is Verdict.INCONCLUSIVE


def test_a_paused_task_stands_for_its_host_only_when_there_is_no_other() -> None:
    paused = [replace(e, impaired="its container is paused") if e.id == "api.2" else e for e in ENDPOINTS]
    assert {
        t.target
        for t in plan(SCENARIO, paused, timeout=2.0).probes
        if t.target_host == "host3" and t.network == "back-net"
    } == {"db.1"}
    alone = plan(SCENARIO, [e for e in paused if e.id != "db.1"], timeout=2.0)
    checks = {c.id: c for c in size_checks(Sizes(SCENARIO, alone, honest(alone)))}
    assert checks[WAY].verdict is Verdict.INCONCLUSIVE
    assert "paused" in checks[WAY].explanation


def test_a_packet_that_passes_in_fragments_only_is_red() -> None:
    m = replace(changed(honest(), BENEATH, **NARROW), fragments={"host1": 0, "host2": 0, "host3": 4})
    check = judged(m)[WAY]
    assert check.verdict is Verdict.FAIL
    assert "only in fragments: its outer packet has 1500 bytes" in check.explanation
    assert judged(m)["mtu:back-net@host3->host2"].verdict is Verdict.PASS


def test_other_peoples_fragments_do_no_harm_where_the_underlay_is_wide_enough() -> None:
    assert judged(replace(honest(), fragments={"host3": 9}))[WAY].verdict is Verdict.PASS


def test_no_fragments_arrived_so_it_came_whole_whatever_the_hosts_own_probe_says() -> None:
    for values in (NARROW, {"small": False, "full": False, "largest": 0}):
        assert judged(changed(honest(), BENEATH, **values))[WAY].verdict is Verdict.PASS


@pytest.mark.parametrize("arrived", [4, None])
@pytest.mark.parametrize(
    "underlay_probe",
    [
        {"small": False, "full": False, "largest": 0},
        {"full": False, "largest": 1300, "exact": False},
        {**NARROW, "responder": "front.1"},
    ],
    ids=["no path MTU", "path MTU not found in time", "a stranger"],
)
def test_perhaps_in_fragments_is_not_proven(arrived: int | None, underlay_probe: dict[str, object]) -> None:
    check = judged(replace(changed(honest(), BENEATH, **underlay_probe), fragments={"host3": arrived}))[WAY]
    assert check.verdict is Verdict.INCONCLUSIVE, check


def test_a_narrow_underlay_without_a_fragment_counter_is_not_proven() -> None:
    assert judged(replace(changed(honest(), BENEATH, **NARROW), fragments={}))[WAY].verdict is Verdict.INCONCLUSIVE


def test_a_transfer_that_stalls_is_red() -> None:
    checks = judged(bulked(honest(), BACK, **STALLED))
    assert {c.id for c in checks.values() if c.verdict is not Verdict.PASS} == {f"{WAY}/bulk"}
    assert checks[f"{WAY}/bulk"].verdict is Verdict.FAIL
    assert (
        "10000 of 262144 bytes were acknowledged, and nothing more for the last 1.9 s"
        in checks[f"{WAY}/bulk"].explanation
    )


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"idle_ms": 30.0}, "still under way"),
        ({"idle_ms": None}, "still under way"),
        ({"moved": 262144}, "listener did not say so"),
        ({"outcome": "refused", "detail": "ECONNRESET"}, "ended early (refused ECONNRESET)"),
        ({"responder": "front.1", "moved": 262144}, "front.1 answered in place"),
    ],
)
def test_a_transfer_that_did_not_stall_is_not_proven(values: dict[str, object], reason: str) -> None:
    check = judged(bulked(honest(), BACK, **{**STALLED, **values}))[f"{WAY}/bulk"]
    assert check.verdict is Verdict.INCONCLUSIVE
    assert reason in check.explanation


def test_a_transfer_proves_nothing_where_a_few_bytes_do_not_get_through_either() -> None:
    m = bulked(honest(), BACK, **STALLED)
    check = judged(
        changed(
            m, BACK, control=BulkEvidence(size=64, responder="", moved=0, ms=None, idle_ms=2000.0, outcome="timed_out")
        )
    )[f"{WAY}/bulk"]
    assert check.verdict is Verdict.INCONCLUSIVE
    assert "no matter of size" in check.explanation
    assert judged(changed(m, BACK, control=None))[f"{WAY}/bulk"].verdict is Verdict.INCONCLUSIVE


def test_without_esp_the_reason_is_told_for_encrypted_overlays_only() -> None:
    nothing = BulkEvidence(size=64, responder="", moved=0, ms=None, idle_ms=2000.0, outcome="timed_out")
    dead = changed(honest(), BACK, small=False, full=False, largest=0, responder="", control=nothing, bulk=nothing)
    dead = replace(dead, missing_features={"host3": ("ip_vs", "esp")})
    for part in ("", "/bulk"):
        assert "the kernel of host3 has no ESP" in judged(dead, encrypted=True)[WAY + part].explanation
        assert judged(dead, encrypted=True)[WAY + part].verdict is Verdict.INCONCLUSIVE
        assert "ESP" not in judged(dead)[WAY + part].explanation


def test_the_finding_says_what_the_mtu_should_be() -> None:
    both = changed(
        changed(honest(), BENEATH, **NARROW), probe("underlay", "host3", "host2"), **{**NARROW, "largest": 1304}
    )
    (found,) = findings(changed(both, BACK, **LOST))
    title = "the MTU of back-net (1450) does not fit the underlay between host2 and host3 (1300)"
    assert found.title == f"{title}: it should be at most 1250"
    assert (found.hosts, found.layer, found.severity) == (("host2", "host3"), "underlay", "connectivity")
    assert 'com.docker.network.driver.mtu: "1300"' in found.fix, "the engine takes VXLAN's 50 bytes off it"
    (sealed,) = findings(changed(both, BACK, **LOST), encrypted=True)
    assert sealed.title.endswith("it should be at most 1224")
    assert 'com.docker.network.driver.mtu: "1300"' in sealed.fix


def test_losses_by_size_on_an_underlay_that_is_wide_enough_are_the_overlays() -> None:
    (found,) = findings(changed(honest(), BACK, **LOST))
    assert (found.layer, found.title) == (
        "overlay",
        "back-net (MTU 1450) loses packets of more than 1250 bytes between host2 and host3: it should be at most 1250",
    )


def test_a_stall_alone_is_found_without_an_mtu_to_advise() -> None:
    (found,) = findings(bulked(honest(), BACK, **STALLED))
    assert "stall between host2 and host3, though single packets of 1450 bytes pass" in found.title
    assert "driver_opts" not in found.fix


def test_room_for_the_outer_headers() -> None:
    for mtu in range(1200, 1500):
        for encrypted in (False, True):
            path = needed(mtu, encrypted=encrypted)
            assert mtu <= at_most(path, encrypted=encrypted)
            assert needed(at_most(path, encrypted=encrypted), encrypted=encrypted) <= path


def test_one_pair_of_tasks_per_overlay_and_pair_of_hosts_however_many_there_are() -> None:
    many = [*ENDPOINTS, *(task(f"front.{i}", f"host{i % 3 + 1}", (f"10.0.1.{i}", "front-net")) for i in range(20, 80))]
    found = plan(SCENARIO, many, timeout=2.0)
    assert len([t for t in found.probes if t.expectation is not None]) == 6 + 2
    assert len([t for t in found.probes if t.expectation is None]) == 6
    assert len(found.endpoints) <= 3 + 3 + 2


def test_nothing_is_tried_where_nobody_expects_it() -> None:
    ignored = replace(SCENARIO, expectations=tuple(replace(e, expected="ignore") for e in EXPECT))
    assert plan(ignored, ENDPOINTS, timeout=2.0).probes == ()
