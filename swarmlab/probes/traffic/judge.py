"""From evidence to verdicts. Pure: the same plan and measurement always give the same checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from swarmlab.model.check import Check, Verdict
from swarmlab.model.check_evidence.base import NothingMeasured
from swarmlab.model.check_evidence.control import Control
from swarmlab.model.check_evidence.traffic import ExchangeEvidence
from swarmlab.model.evidence import Evidence
from swarmlab.model.expectation import Expectation
from swarmlab.model.ids import check_id, contradicting, pair
from swarmlab.model.judgement import UNKNOWN
from swarmlab.model.kinds import ALLOW, Kind
from swarmlab.model.probe import Probe
from swarmlab.probes.session.endpoints import owner
from swarmlab.probes.traffic.allow import judge_allow
from swarmlab.probes.traffic.deny import judge_deny
from swarmlab.probes.traffic.expand import Gap, alone, gaps, vacuous
from swarmlab.probes.traffic.facts import Facts
from swarmlab.probes.traffic.names import Names


def judge(facts: Facts) -> tuple[Check, ...]:
    """Every expectation becomes at least one check, unless there is provably nothing that it speaks of."""
    names, plan = Names(facts), facts.plan
    checks = [_reach(facts, p, p.expectation) for p in plan.probes if p.expectation is not None]
    checks += [names.check(n) for n in plan.names if n.expectation is not None]
    checks += _unmeasured(facts)
    return tuple(_distinct(checks))


def _reach(facts: Facts, probe: Probe, e: Expectation) -> Check:
    evidence = facts.evidence(probe)
    judged = (judge_allow if e.expected == ALLOW else judge_deny)(facts, probe, evidence)
    source, target = facts.plan.endpoints.get(probe.source), facts.plan.endpoints.get(probe.target)
    return Check(
        id=check_id(e.kind, facts.exchange(probe)),
        kind=str(e.kind),
        source=probe.source,
        target=probe.target,
        network=probe.network,
        protocol=probe.protocol,
        port=probe.port,
        expected=e.expected,
        observed=judged.observed,
        verdict=judged.verdict,
        because=e.because,
        explanation=judged.explanation,
        source_service=owner(source) if source else "",
        target_service=owner(target) if target else probe.target,
        source_host=source.host if source else "",
        target_host=target.host if target else facts.host(evidence.responder),
        evidence=_shown(probe, evidence, judged.controls),
    )


def _shown(probe: Probe, evidence: Evidence, controls: tuple[Control, ...]) -> ExchangeEvidence:
    return ExchangeEvidence(
        outcome=str(evidence.outcome),
        responder=evidence.responder,
        latency_ms=evidence.latency_ms,
        left=evidence.left,
        asked=evidence.asked,
        via=evidence.via,
        seen=evidence.seen,
        answer_left=evidence.answer_left,
        sends=evidence.sends,
        lost_records=evidence.lost_records,
        detail=evidence.detail,
        address=probe.address,
        controls=controls,
    )


def _unmeasured(facts: Facts) -> Iterator[Check]:
    """Expectations, or parts of them, that no probe stands for: said aloud, never dropped."""
    # By identity first: ten thousand probes share a handful of expectations, and hashing a dataclass is slow.
    covered = {
        id(e): e
        for e in [p.expectation for p in facts.plan.probes] + [n.expectation for n in facts.plan.names]
        if e is not None
    }
    measured = set(covered.values())
    overridden = {(e.kind, e.source, e.target) for e in measured if not e.derived}
    for e in facts.scenario.expectations:
        if e.kind not in NOT_MEASURED:
            continue
        found = [Gap(e, e.source, e.target, "")] if alone(e, facts.index) else list(gaps(e, facts.index))
        yield from (_gap(facts, gap) for gap in found if gap.reason)
        silent = not found and e not in measured and not (e.derived and (e.kind, e.source, e.target) in overridden)
        if silent and not _vacuous(facts, e):
            yield _gap(facts, Gap(e, e.source, e.target, NOT_MEASURED[e.kind]))


# What is said of an expectation of these kinds that led to no measurement at all.
NOT_MEASURED = {
    Kind.VIP: "no virtual address is known, or none that the protocol can be tried on",
    Kind.REACH: "no probe came of it",
    Kind.SCOPE: "no probe came of it",
    Kind.NAME: "no question came of it",
}


def _vacuous(facts: Facts, e: Expectation) -> bool:
    targets = facts.index.of(e.target)
    return bool(targets) and all(vacuous(e, t, facts.index) for t in targets)


def _gap(facts: Facts, gap: Gap) -> Check:
    e = gap.expectation
    source, target = facts.plan.endpoints.get(gap.source), facts.plan.endpoints.get(gap.target)
    what = pair(gap.source, (e.name or gap.target) if e.kind is Kind.NAME else gap.target)
    on = None if e.kind is Kind.NAME else e.network
    return Check(
        id=check_id(e.kind, what, on=on, protocol=e.protocol, port=e.port),
        kind=str(e.kind),
        source=gap.source,
        target=gap.target,
        network=e.network,
        protocol=e.protocol,
        port=e.port,
        expected=e.expected,
        observed=UNKNOWN,
        verdict=Verdict.INCONCLUSIVE,
        because=e.because,
        explanation=f"Nothing to measure: {gap.reason}.",
        source_service=owner(source) if source else e.source,
        target_service=owner(target) if target else e.target,
        source_host=source.host if source else "",
        target_host=target.host if target else "",
        evidence=NothingMeasured(asked=(e.name or gap.target) if e.kind is Kind.NAME else ""),
    )


def _distinct(checks: Iterable[Check]) -> Iterator[Check]:
    """Ids are unique: where two expectations contradict each other, the second says which it is."""
    taken: dict[str, int] = {}
    for check in checks:
        count = taken[check.id] = taken.get(check.id, 0) + 1
        yield check if count == 1 else replace(check, id=contradicting(check.id, check.expected, count))
