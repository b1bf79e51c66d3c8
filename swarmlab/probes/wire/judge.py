"""When an overlay is proven encrypted, or readable, between two hosts."""

from __future__ import annotations

from swarmlab.model.check import Check, Verdict
from swarmlab.model.expectation import Expectation
from swarmlab.model.ids import check_id, pair
from swarmlab.model.judgement import UNKNOWN, Judgement, not_proven, proven, violated
from swarmlab.model.kinds import CLEAR, ENCRYPTED, Kind
from swarmlab.model.scenario import Scenario
from swarmlab.model.wire import TunnelPath, WireMeasurement, WirePlan
from swarmlab.probes.session.endpoints import owner
from swarmlab.probes.wire.conditions import CONDITIONS, OF_PLAIN, in_clear
from swarmlab.probes.wire.evidence import evidence
from swarmlab.probes.wire.facts import WireFacts


def judge_wire(scenario: Scenario, plan: WirePlan, measured: WireMeasurement) -> tuple[Check, ...]:
    """One check per overlay and ordered pair of hosts that carries it; one for an overlay that somebody wrote about and
    no pair carries.
    """
    facts = WireFacts(plan, measured)
    checks = [_check(facts, p, p.expectation) for p in plan.paths if p.expectation is not None]
    covered = {check.network for check in checks}
    written = (e for e in scenario.expectations if e.kind is Kind.WIRE and not e.derived)
    return (*checks, *(_uncarried(e) for e in written if e.network not in covered))


def judge(facts: WireFacts, p: TunnelPath, expected: str) -> Judgement:
    """What was observed, against what is expected."""
    here, there = p.direction
    observed, why = observe(facts, p)
    if expected == CLEAR and observed != ENCRYPTED and not facts.read(p):
        observed, why = UNKNOWN, _not_read(facts, p)
    if observed == UNKNOWN:
        return not_proven(why)
    if observed == expected:
        return proven(observed, f"{why[:1].upper()}{why[1:]}." if why else f"Nothing but ESP left {here} for {there}.")
    if observed == CLEAR:
        return violated(observed, f"{p.network} is not encrypted from {here} to {there}: {why}.")
    return violated(observed, f"{p.network} is encrypted from {here} to {there}: nothing but ESP left.")


def observe(facts: WireFacts, p: TunnelPath) -> tuple[str, str]:
    """What it is, and why that is known, or not: one packet in clear is enough to call it clear; encrypted needs every
    condition.
    """
    leak = in_clear(facts, p)
    if leak:
        return CLEAR, leak
    missing = list(dict.fromkeys(filter(None, (condition(facts, p) for condition in CONDITIONS))))
    return (UNKNOWN, "; ".join(missing)) if missing else (ENCRYPTED, "")


def _not_read(facts: WireFacts, p: TunnelPath) -> str:
    """Why a canary that anybody could read was not read."""
    why = next(filter(None, (condition(facts, p) for condition in OF_PLAIN)), "")
    came = "it arrived all the same" if p.name in facts.measured.arrived else "it did not arrive either"
    return why or f"the capture on {p.source.host} did not read the canary; {came}"


def _check(facts: WireFacts, p: TunnelPath, e: Expectation) -> Check:
    here, there = p.direction
    judged = judge(facts, p, e.expected)
    return Check(
        id=check_id(Kind.WIRE, p.network, on=pair(here, there)),
        kind=str(Kind.WIRE),
        source=p.source.id,
        target=p.target.id,
        network=p.network,
        protocol="",
        port=0,
        expected=e.expected,
        observed=judged.observed,
        verdict=judged.verdict,
        because=e.because,
        explanation=judged.explanation,
        source_service=owner(p.source),
        target_service=owner(p.target),
        source_host=here,
        target_host=there,
        evidence=evidence(facts, p),
    )


def _uncarried(e: Expectation) -> Check:
    return Check(
        id=check_id(Kind.WIRE, e.network),
        kind=str(Kind.WIRE),
        source="",
        target="",
        network=e.network,
        protocol="",
        port=0,
        expected=e.expected,
        observed=UNKNOWN,
        verdict=Verdict.INCONCLUSIVE,
        because=e.because,
        explanation=f"Nothing to measure: no two hosts have a task on {e.network}.",
    )
