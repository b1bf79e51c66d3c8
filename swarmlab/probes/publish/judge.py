"""From what was seen of published ports to checks: one for each port of each host."""

from __future__ import annotations

from swarmlab.model.check import Check, Verdict
from swarmlab.model.check_evidence.publish import PortEvidence
from swarmlab.model.evidence import Evidence, Outcome
from swarmlab.model.expectation import Expectation
from swarmlab.model.host import OUTSIDE
from swarmlab.model.ids import check_id, pair
from swarmlab.model.judgement import UNKNOWN
from swarmlab.model.kinds import ALLOW, Kind
from swarmlab.model.probe import Probe
from swarmlab.model.scenario import INGRESS
from swarmlab.probes.publish.open import judge_open
from swarmlab.probes.publish.plan import HostPort
from swarmlab.probes.publish.published import Published
from swarmlab.probes.publish.shut import judge_shut

ANYBODY = "anybody"  # in ids, whose port it is where no service publishes it
OURS = "the agent's listener in the task's namespace (the application has not taken that port)"
APPLICATION = "the task's application"
NOBODY_KNOWN = "somebody: no task's capture saw the request"


def port_checks(p: Published) -> list[Check]:
    """One for each host port."""
    return [_check(p, p.probes[id_], host_port) for id_, host_port in p.host_ports.items()]


def port_id(host_port: HostPort, part: str = "") -> str:
    """The id of the check of one port of one host."""
    return check_id(
        Kind.PUBLISH,
        pair(OUTSIDE, host_port.expectation.target or ANYBODY),
        on=host_port.host,
        protocol=host_port.protocol,
        port=host_port.said,
        part=part,
    )


def _check(p: Published, probe: Probe, host_port: HostPort) -> Check:
    e, evidence = host_port.expectation, p.evidence(probe)
    judged = (judge_open if host_port.expected == ALLOW else judge_shut)(p, probe, host_port, evidence)
    return Check(
        id=port_id(host_port),
        kind=str(Kind.PUBLISH),
        source=OUTSIDE,
        target=e.target or f"host:{host_port.host}",
        network=INGRESS if host_port.mode == INGRESS else "",
        protocol=host_port.protocol,
        port=host_port.port,
        expected=host_port.expected,
        observed=judged.observed,
        verdict=judged.verdict,
        because=host_port.because,
        explanation=judged.explanation,
        source_service=OUTSIDE,
        target_service=e.target,
        target_host=host_port.host,
        evidence=_shown(p, probe, host_port, evidence),
    )


def _shown(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> PortEvidence:
    control = p.control(host_port)
    return PortEvidence(
        outcome=str(Outcome.ANSWERED if probe.id in p.seen.answers else evidence.outcome),
        responder=p.seen.answers.get(probe.id, ""),
        latency_ms=evidence.latency_ms,
        left=evidence.left,
        via=evidence.via,
        seen=evidence.seen,
        answer_left=evidence.answer_left,
        sends=evidence.sends,
        lost_records=evidence.lost_records,
        detail=evidence.detail,
        address=probe.address,
        mode=host_port.mode,
        port_inside=host_port.inside,
        answered_by=_answered_by(p, probe),
        came_through_to=tuple(p.takers(probe)),
        controls=(p.facts.control(f"{OUTSIDE} reaches {host_port.host}", control),) if control else (),
    )


def _answered_by(p: Published, probe: Probe) -> str:
    if probe.id not in p.seen.answers:
        return ""
    if p.seen.answers[probe.id]:
        return OURS
    return APPLICATION if p.takers(probe) else NOBODY_KNOWN


def unmeasured(e: Expectation, reason: str) -> Check:
    """An expectation of which some or all cannot be tried: said aloud, never dropped."""
    named = f"{e.name}-{e.inside}" if e.inside else e.name
    return Check(
        id=check_id(Kind.PUBLISH, pair(OUTSIDE, e.target or ANYBODY), protocol=e.protocol, port=e.port or named or "0"),
        kind=str(Kind.PUBLISH),
        source=OUTSIDE,
        target=e.target,
        network="",
        protocol=e.protocol,
        port=e.port,
        expected=e.expected,
        observed=UNKNOWN,
        verdict=Verdict.INCONCLUSIVE,
        because=e.because,
        explanation=f"Nothing to measure: {reason}.",
        source_service=OUTSIDE,
        target_service=e.target,
    )
