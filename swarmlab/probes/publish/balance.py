"""Whether a virtual address leads to every task behind it: from each sender that may reach it, as many connections as
it takes to meet them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from swarmlab.model.check import Check
from swarmlab.model.check_evidence.traffic import BalanceEvidence
from swarmlab.model.evidence import Evidence, Outcome
from swarmlab.model.ids import check_id, pair
from swarmlab.model.judgement import Judgement, not_measured, proven, violated
from swarmlab.model.kinds import ALLOW, DENY, Kind
from swarmlab.model.probe import Probe, ProbePlan
from swarmlab.probes.session.endpoints import owner
from swarmlab.probes.traffic.facts import Facts, is_virtual

BALANCE = "balance"  # the part of ids that names such a check
ROUNDS = 4  # connections for each task
MOST = 64  # but no more than so many from one asker, unless there are as many tasks


def askers(plan: ProbePlan) -> list[Probe]:
    """For each sender that may reach a virtual address with several tasks behind it: the exchange that the traffic
    stage tries, too.
    """
    return [
        p
        for p in plan.probes
        if is_virtual(p)
        and p.expectation
        and p.expectation.expected == ALLOW
        and p.protocol == "tcp"
        and p.port == plan.port
        and len(_tasks(plan, p)) > 1
    ]


def connections(
    asked: Iterable[Probe], plan: ProbePlan, missing_features: Mapping[str, tuple[str, ...]], first: int, port: int
) -> list[Probe]:
    """All connections of all askers; none from a host whose kernel cannot, as they would only time out."""
    found: list[Probe] = []
    for p in asked:
        if Kind.VIP.row.feature not in missing_features.get(plan.endpoints[p.source].host, ()):
            tasks = len(_tasks(plan, p))
            found += [
                replace(p, id=first + len(found) + i, port=port) for i in range(max(tasks, min(ROUNDS * tasks, MOST)))
            ]
    return found


def _tasks(plan: ProbePlan, p: Probe) -> list[str]:
    return [e.id for e in plan.endpoints.values() if e.service == p.target]


def balance_checks(facts: Facts, asked: Iterable[Probe]) -> list[Check]:
    """One for each asker and virtual address."""
    tried: dict[tuple[str, str, str], list[Probe]] = {}
    for p in facts.plan.probes:
        if is_virtual(p):
            tried.setdefault((p.source, p.target, p.address), []).append(p)
    return [_check(facts, p, tried.get((p.source, p.target, p.address), [])) for p in asked]


def _check(facts: Facts, p: Probe, tried: list[Probe]) -> Check:
    evidence = [facts.evidence(one) for one in tried]
    judged = judge(facts, p, evidence)
    source, tasks = facts.plan.endpoints[p.source], facts.targets(p)
    by = {task: sum(e.outcome is Outcome.ANSWERED and e.responder == task for e in evidence) for task in tasks}
    shown = BalanceEvidence(
        address=p.address, connections=len(tried), answers_by=by, unanswered=len(_unanswered(evidence))
    )
    because = f"{p.expectation.because}; a virtual address leads to every task" if p.expectation else ""
    return Check(
        id=check_id(Kind.VIP, pair(p.source, p.target), on=p.network, part=BALANCE),
        kind=str(Kind.VIP),
        source=p.source,
        target=p.target,
        network=p.network,
        protocol="tcp",
        port=p.port,
        expected=ALLOW,
        observed=judged.observed,
        verdict=judged.verdict,
        because=because,
        explanation=judged.explanation,
        source_service=owner(source),
        target_service=p.target,
        source_host=source.host,
        evidence=shown,
    )


def judge(facts: Facts, p: Probe, evidence: list[Evidence]) -> Judgement:
    """Every task answered at least once, and every connection was answered: one stale backend of n takes 1/n of all
    connections.
    """
    tasks = facts.targets(p)
    answered = [e.responder for e in evidence if e.outcome is Outcome.ANSWERED]
    never, strangers = [t for t in tasks if t not in answered], sorted(set(answered) - set(tasks))
    lost = _unanswered(evidence)
    if evidence and not never and not strangers and not lost:
        return proven(ALLOW)
    reasons = [facts.without_ipvs(p), facts.unsound(p.source), *(facts.unsound(t) for t in tasks)]
    reasons += [facts.unmeasured(p, e) for e in evidence] or ["no connection was tried"]
    missing = next(filter(None, reasons), "")
    if missing:
        return not_measured(missing)
    parts = [f"{len(tasks) - len(never)} of {len(tasks)} tasks of {p.target} answered over {len(evidence)} connections"]
    parts += [f"never {', '.join(never)}"] if never else []
    parts += [f"{len(lost)} got no answer, as with a backend that is gone"] if lost else []
    parts += [f"{', '.join(s or 'somebody else' for s in strangers)} answered in their place"] if strangers else []
    return violated(DENY, f"{p.source} to {p.address}: {'; '.join(parts)}.")


def _unanswered(evidence: list[Evidence]) -> list[Evidence]:
    return [e for e in evidence if e.outcome is not Outcome.ANSWERED]
