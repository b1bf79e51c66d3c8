"""A deny that is fully proven, and changes to what was measured of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import strategies as st

from swarmlab.model.check import Check
from swarmlab.model.evidence import Evidence, Measurement, Outcome
from swarmlab.model.probe import Probe, ProbePlan
from swarmlab.model.scenario import Scenario
from tests.unit.probes.labs import THREE_TIER, changed, find, honest, judge, three_tier

DENIED = "reach:front.1->db.1@back-net/tcp"
Case = tuple[ProbePlan, Measurement]


def verdict(p: ProbePlan, m: Measurement, id_: str = DENIED, s: Scenario = THREE_TIER) -> Check:
    return next(c for c in judge(s, p, m) if c.id == id_)


def proven() -> Case:
    p = three_tier()
    return p, honest(p)


def denied(p: ProbePlan) -> Probe:
    return find(p, "front.1", "db.1")


def with_evidence(**more: object) -> Callable[[Case], Case]:
    """The deny's own evidence, changed."""

    def change(case: Case) -> Case:
        p, m = case
        probe = denied(p)
        return p, changed(m, replace(m.probes[probe.id], **more))  # type: ignore[arg-type]

    return change


def silent(*pairs: tuple[str, str], protocol: str = "tcp", both: bool = False) -> Callable[[Case], Case]:
    """No answer between endpoints whose ids start so."""

    def matches(x: Probe) -> bool:
        if x.protocol != protocol and protocol != "any":
            return False
        return any(
            (x.source.startswith(a) and x.target.startswith(b))
            or (both and x.source.startswith(b) and x.target.startswith(a))
            for a, b in pairs
        )

    def change(case: Case) -> Case:
        p, m = case
        lost = [
            Evidence(x.id, Outcome.TIMED_OUT, left=True, seen=False)
            for x in p.probes
            if matches(x) and x.id != denied(p).id
        ]
        return p, changed(m, *lost)

    return change


def endpoint(id_: str, **more: object) -> Callable[[Case], Case]:
    def change(case: Case) -> Case:
        p, m = case
        return replace(p, endpoints={**p.endpoints, id_: replace(p.endpoints[id_], **more)}), m  # type: ignore[arg-type]

    return change


def measured(**more: object) -> Callable[[Case], Case]:
    return lambda case: (case[0], replace(case[1], **more))  # type: ignore[arg-type]


def both(*changes: Callable[[Case], Case]) -> Callable[[Case], Case]:
    def change(case: Case) -> Case:
        for each in changes:
            case = each(case)
        return case

    return change


flags = st.sampled_from([True, False, None])
evidences = st.builds(
    Evidence,
    probe=st.just(0),
    outcome=st.sampled_from(list(Outcome)),
    responder=st.sampled_from(["", "db.1", "api.1", "front.1", "x"]),
    latency_ms=st.none(),
    left=flags,
    asked=flags,
    via=st.just("eth0"),
    seen=flags,
    answer_left=flags,
    sends=st.integers(0, 3),
    lost_records=st.sampled_from([0, 0, 0, 4]),
    detail=st.just(""),
)
