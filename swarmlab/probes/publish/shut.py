"""When "closed from outside" is proven, and not just true because something is broken."""

from __future__ import annotations

from swarmlab.model.evidence import Evidence, Outcome
from swarmlab.model.host import OUTSIDE
from swarmlab.model.judgement import Judgement, not_proven, proven, violated
from swarmlab.model.kinds import ALLOW, DENY
from swarmlab.model.probe import Probe
from swarmlab.model.scenario import INGRESS
from swarmlab.probes.publish.conditions import Condition, outside_is_sound, request_left, unmet, was_measured
from swarmlab.probes.publish.plan import HostPort
from swarmlab.probes.publish.published import Published
from swarmlab.probes.session.endpoints import WORKLOADS
from swarmlab.probes.traffic.facts import captures_dropped


def judge_shut(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> Judgement:
    """Any answer, or a task that saw the request, is a violation; a pass needs every condition."""
    where = f"{probe.address}:{host_port.port} of {host_port.host}"
    takers = p.takers(probe)
    if probe.id in p.seen.answers:
        by = p.seen.answers[probe.id] or next(iter(takers), "") or "something that is no task of the stack"
        return violated(ALLOW, f"{where} answered {OUTSIDE}, although it must not; {by} did.")
    if takers:
        came = f"The request for {where} came through to {takers[0]}"
        return violated(ALLOW, f"{came}, though no answer came back ({evidence.outcome}).")
    missing = list(unmet(CONDITIONS, p, probe, host_port, evidence))
    if missing:
        return not_proven(*missing)
    how = "it was refused" if evidence.outcome is Outcome.REFUSED else "nothing answered"
    return proven(DENY, f"The request arrived at {host_port.host}, no task there saw it, and {how}.")


def host_is_sound(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    """The host's agent lived to the end."""
    return p.facts.unsound(probe.target)


def captures_are_whole(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    """No record lost on either side."""
    return captures_dropped(evidence)


def request_arrived(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    """A port that something on the way keeps shut says nothing about the host."""
    if evidence.seen:
        return ""
    if evidence.seen is False:
        return f"the request never arrived at {host_port.host}"
    return f"it is not known that it arrived at {host_port.host}"


def control_was_answered(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    """The same host answers the agent's own listener, by the same protocol."""
    if p.control_answered(host_port):
        return ""
    return f"{host_port.host} did not answer {OUTSIDE} by {host_port.protocol} in this run where it should"


def tasks_saw_nothing(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    """Looked for at every task of that host, or that the mesh leads to, and not there; "not looked" is not enough."""
    tasks = (e for e in p.facts.plan.endpoints.values() if e.role in WORKLOADS)
    here = [e.id for e in tasks if e.host == host_port.host or any(a.network == INGRESS for a in e.addresses)]
    unknown = (
        task
        for task in here
        if p.task_saw(probe, task)[0] is not False or (task, host_port.protocol) in p.capture_missed
    )
    return next((f"it is not known whether {task} saw the request" for task in unknown), "")


CONDITIONS: tuple[Condition, ...] = (
    outside_is_sound,
    host_is_sound,
    was_measured,
    captures_are_whole,
    request_left,
    request_arrived,
    control_was_answered,
    tasks_saw_nothing,
)
