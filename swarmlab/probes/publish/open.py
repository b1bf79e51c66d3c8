"""When "open from outside" is proven. Who answers a published port is a task; anybody else is a leak."""

from __future__ import annotations

from swarmlab.model.evidence import Evidence, Outcome
from swarmlab.model.host import OUTSIDE
from swarmlab.model.judgement import Judgement, not_measured, proven, unproven, violated
from swarmlab.model.kinds import ALLOW, DENY
from swarmlab.model.probe import Probe
from swarmlab.probes.publish.conditions import Condition, outside_is_sound, request_left, unmet, was_measured
from swarmlab.probes.publish.plan import HostPort
from swarmlab.probes.publish.published import Published


def judge_open(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> Judgement:
    """An answer by a task that may give it; a handshake alone may be the engine's own proxy, so a task must have seen
    the request.
    """
    if probe.id in p.seen.answers:
        return _answered(p, probe, host_port, p.seen.answers[probe.id])
    missing = next(unmet(UNMEASURABLE, p, probe, host_port, evidence), "")
    if missing:
        return not_measured(missing)
    return violated(DENY, _where_lost(p, probe, host_port, evidence))


def _answered(p: Published, probe: Probe, host_port: HostPort, responder: str) -> Judgement:
    where = f"{probe.address}:{host_port.port} of {host_port.host}"
    by = p.by(probe, host_port)
    unsound = p.facts.unsound(by) if by in host_port.tasks and not responder else ""
    if unsound:  # the kernel completes handshakes for a process that is stopped
        return unproven(f"The connection to {where} was accepted, but {unsound}.")
    if by in host_port.tasks:
        return proven(ALLOW)
    if by:
        return violated(DENY, f"{by} answered at {where}, in place of {' or '.join(host_port.tasks)}.")
    if p.ends_at_the_host(host_port):
        cannot = p.mesh_cannot_work(host_port)
        why = cannot or f"nothing at {host_port.host} leads them into the mesh"
        text = f"{where} accepted connections and said nothing, and no task saw any: {why}."
        return unproven(text) if cannot else violated(DENY, text)
    whose = f"no capture of {' or '.join(host_port.tasks)} saw the request"
    return unproven(f"Something answered at {where}, and it is not known who: {whose}.")


def mesh_can_work(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    """The host's kernel has what the routing mesh needs."""
    return p.mesh_cannot_work(host_port)


def tasks_are_sound(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    """Those that may answer are alive."""
    return next(filter(None, map(p.facts.unsound, host_port.tasks)), "")


def path_is_open(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    """The request arrived at the host, or the host answered another one: else the path there is broken, or the external
    client.
    """
    if evidence.seen or p.control_answered(host_port):
        return ""
    no_answer = f"{OUTSIDE} got no {host_port.protocol} answer from {host_port.host} at all"
    return f"{no_answer}, and the request did not arrive there"


def datagram_is_understood(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    """An application need not answer a datagram that it does not understand."""
    silent = [task for task in p.takers(probe) if task in host_port.tasks and p.task_saw(probe, task)[1] is not True]
    if host_port.protocol == "udp" and silent:
        return f"the datagram came through to {silent[0]}, whose application did not answer it"
    return ""


# Where one of these is missing, silence says nothing about the port.
UNMEASURABLE: tuple[Condition, ...] = (
    outside_is_sound,
    was_measured,
    mesh_can_work,
    tasks_are_sound,
    request_left,
    path_is_open,
    datagram_is_understood,
)


def _where_lost(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    words = {Outcome.REFUSED: "refused", Outcome.TIMED_OUT: "no answer in time"}
    saw = words.get(evidence.outcome, str(evidence.outcome))
    where = f"{probe.address}:{host_port.port} of {host_port.host}"
    how = _how_far(p, probe, host_port, evidence)
    return f"{OUTSIDE} to {where} by {host_port.protocol}: {saw}; {how}."


def _how_far(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    takers = p.takers(probe)
    if takers and p.task_saw(probe, takers[0])[1]:
        return f"the request came through to {takers[0]}, whose answer was lost on the way back"
    if takers:
        return f"the request came through to {takers[0]}, which did not answer"
    if evidence.seen:
        look = "see the rules of its firewall, and that its engine publishes the port"
        return f"the request arrived at {host_port.host}, and no task saw it: {look}"
    if evidence.seen is False:
        return f"the request was lost on the way to {host_port.host}, which does answer others"
    return "where it was lost is not known"
