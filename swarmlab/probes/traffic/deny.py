"""When "B cannot be reached" is proven, and not just true because something is broken. Each condition is one small
function.
"""

from __future__ import annotations

from collections.abc import Callable

from swarmlab.model.check_evidence.control import Control
from swarmlab.model.evidence import Evidence, Outcome
from swarmlab.model.judgement import Judgement, not_proven, proven, violated
from swarmlab.model.kinds import ALLOW, DENY
from swarmlab.model.probe import Probe
from swarmlab.probes.session.endpoints import owner
from swarmlab.probes.traffic.facts import Facts, captures_dropped, is_virtual


def judge_deny(facts: Facts, probe: Probe, evidence: Evidence) -> Judgement:
    """A violation needs one observation; a pass needs every condition; the rest is inconclusive and says what is
    missing.
    """
    leak = _leak(facts, probe, evidence)
    if leak:
        return violated(ALLOW, leak)
    missing = [text for condition in CONDITIONS if (text := condition(facts, probe, evidence))]
    if missing:
        return not_proven(*missing, controls=controls(facts, probe))
    return proven(DENY, _how(facts, probe, evidence), controls(facts, probe))


def _leak(facts: Facts, probe: Probe, evidence: Evidence) -> str:
    """What shows that the target can be reached; "" when nothing does."""
    where = f"{probe.address} of {probe.target}"
    if facts.answered(probe, evidence):
        return f"{probe.source} reached {where}, and {evidence.responder} answered, although it must not."
    if evidence.seen:
        arrived = f"The {probe.protocol} request of {probe.source} arrived at {where}"
        return f"{arrived}, though no answer came back ({evidence.outcome})."
    return attached(facts, probe)


def sender_is_sound(facts: Facts, probe: Probe, evidence: Evidence) -> str:
    """Alive, and not paused."""
    return facts.unsound(probe.source)


def target_is_sound(facts: Facts, probe: Probe, evidence: Evidence) -> str:
    """Alive, and not paused: for a virtual address, every task behind it."""
    if not facts.targets(probe):
        return f"{probe.target} has no running task"
    return next(filter(None, map(facts.unsound, facts.targets(probe))), "")


def something_was_measured(facts: Facts, probe: Probe, evidence: Evidence) -> str:
    """The sender's kernel took the packet, and the target's listener was alive."""
    return facts.unmeasured(probe, evidence)


def captures_are_whole(facts: Facts, probe: Probe, evidence: Evidence) -> str:
    """No record lost on either side."""
    return captures_dropped(evidence)


def capture_can_see(facts: Facts, probe: Probe, evidence: Evidence) -> str:
    """The target's capture saw a request of this run that the target answered; so one that it did not see did not
    come.
    """
    missed = [t for t in facts.targets(probe) if (t, probe.protocol) in facts.measurement.capture_missed]
    if not missed:
        return ""
    return f"the capture at {', '.join(missed)} missed a {probe.protocol} request that was answered"


def request_went_out(facts: Facts, probe: Probe, evidence: Evidence) -> str:
    """It left, or asked for the hardware address, or its own kernel knew no route; or the address is the sender's own,
    and nothing has to leave.
    """
    if evidence.left or evidence.asked or evidence.outcome is Outcome.NO_ROUTE or to_itself(facts, probe):
        return ""
    if evidence.left is None:
        return f"it is not known that the request left {probe.source}"
    return f"the request never left {probe.source}"


def target_saw_nothing(facts: Facts, probe: Probe, evidence: Evidence) -> str:
    """Looked for, and not there; "not looked" is not enough."""
    return "" if evidence.seen is False else f"it is not known whether {probe.target} saw the request"


def target_was_reached(facts: Facts, probe: Probe, evidence: Evidence) -> str:
    """In this run, by the same protocol, by a sender that may reach it, or by its own host's bridge if none may."""
    port, at = (probe.target, probe.protocol, probe.port), (probe.target, probe.address, probe.protocol, probe.port)
    beside = facts.beside.get(at, [])
    if port in facts.may_reach:
        if port not in facts.reached:
            return f"nobody who may reached {probe.target} by {probe.protocol} in this run"
        if at in facts.reached_at or not _fell_silent(facts, beside):
            return ""
        return f"{probe.address} of {probe.target} did not answer its own host either"
    if any(facts.answered(c, facts.evidence(c)) for c in beside):
        return ""
    nobody = "nobody: the scenario has no peer that may, and no bridge of its host is known"
    tried = ", ".join(c.source for c in beside) or nobody
    return f"{probe.target} was not reached by {probe.protocol} in this run (tried by {tried})"


def sender_was_answered(facts: Facts, probe: Probe, evidence: Evidence) -> str:
    """In this run, by the same protocol, by someone whom it may reach; by its own host's bridge where there is
    nobody.
    """
    port = (probe.source, probe.protocol, probe.port)
    default = (probe.source, probe.protocol, facts.plan.port)
    if port in facts.sent or default in facts.sent:
        return ""
    if port in facts.may_send or default in facts.may_send:
        return f"{probe.source} got no answer by {probe.protocol} from anyone whom it may reach"
    beside = facts.sent_beside.get(default, [])
    if any(facts.answered(c, facts.evidence(c)) for c in beside):
        return ""
    tried = ", ".join(c.target for c in beside) or "nobody: it may reach no one, and no bridge of its host is known"
    return f"{probe.source} got no {probe.protocol} answer in this run (asked {tried})"


def hosts_carry_traffic(facts: Facts, probe: Probe, evidence: Evidence) -> str:
    """Between the two hosts something was answered over an overlay."""
    here = facts.host(probe.source)
    for host in sorted({facts.host(t) for t in facts.targets(probe)} - {here}):
        if frozenset((here, host)) not in facts.carried:
            return f"nothing was answered between {here} and {host} in this run, over any overlay"
    return ""


def answer_is_identified(facts: Facts, probe: Probe, evidence: Evidence) -> str:
    """An answer that names nobody might be the target's own."""
    if evidence.outcome is Outcome.ANSWERED and not evidence.responder and evidence.seen is None:
        return f"{probe.address} answered, and it is not known who that was"
    return ""


def kernel_can_vip(facts: Facts, probe: Probe, evidence: Evidence) -> str:
    """Without IPVS no virtual address works, so silence proves nothing."""
    return facts.without_ipvs(probe) if is_virtual(probe) else ""


def address_is_the_targets_alone(facts: Facts, probe: Probe, evidence: Evidence) -> str:
    """A probe that the sender's own kernel takes shows nothing about a network that the two could share."""
    if _holds_address(facts, probe) and not to_itself(facts, probe):
        return f"{probe.address} is {probe.source}'s own address too, so nothing was sent to {probe.target}"
    return ""


Condition = Callable[[Facts, Probe, Evidence], str]
CONDITIONS: tuple[Condition, ...] = (
    sender_is_sound,
    target_is_sound,
    something_was_measured,
    kernel_can_vip,
    answer_is_identified,
    address_is_the_targets_alone,
    captures_are_whole,
    capture_can_see,
    request_went_out,
    target_saw_nothing,
    target_was_reached,
    sender_was_answered,
    hosts_carry_traffic,
)


def attached(facts: Facts, probe: Probe) -> str:
    """A sender that is plugged into the target's overlay, where the file does not put it, is a leak whatever this one
    packet did.

    The engine may even have given it the target's own address, so that no packet of ours could ever show the leak.
    """
    source = facts.plan.endpoints.get(probe.source)
    if source is None or probe.network not in facts.overlays:
        return ""
    own = next((a for a in source.addresses if a.network == probe.network), None)
    if own is None or probe.network in facts.scenario.networks_of(owner(source)):
        return ""
    where = f"{probe.network} ({own.address}{f' on {own.interface}' if own.interface else ''})"
    return f"{probe.source} is plugged into {where}, where the file does not put it and where {probe.target} is."


def to_itself(facts: Facts, probe: Probe) -> bool:
    """Node-local networks may give the sender the very address that the target has on its own host."""
    return facts.index.host_local(probe.network) and _holds_address(facts, probe)


def _holds_address(facts: Facts, probe: Probe) -> bool:
    source = facts.plan.endpoints.get(probe.source)
    return source is not None and any(a.address == probe.address for a in source.addresses)


def controls(facts: Facts, probe: Probe) -> tuple[Control, ...]:
    """The exchanges of the same run that give a deny its weight (or fail to)."""
    port, default = (probe.target, probe.protocol, probe.port), (probe.source, probe.protocol, facts.plan.port)
    at = (probe.target, probe.address, probe.protocol, probe.port)
    reached = facts.reached_at.get(at) or facts.reached.get(port)
    sent = facts.sent.get((probe.source, probe.protocol, probe.port)) or facts.sent.get(default)
    to_target = ([reached] if reached else []) + facts.beside.get(at, [])[:2]
    by_sender = [sent] if sent else facts.sent_beside.get(default, [])[:2]
    pairs = [
        frozenset((facts.host(probe.source), host)) for host in dict.fromkeys(map(facts.host, facts.targets(probe)))
    ]
    return (
        *(facts.control("the target can be reached", p) for p in to_target),
        *(facts.control("the sender can send", p) for p in by_sender),
        *(facts.control("the pair of hosts carries traffic", facts.carried[p]) for p in pairs if p in facts.carried),
    )


def _fell_silent(facts: Facts, controls: list[Probe]) -> bool:
    """All of these were really tried, and none was answered."""
    evidence = [facts.evidence(c) for c in controls]
    untried = (Outcome.SENDER_DEAD, Outcome.SEND_ERROR)
    return bool(controls) and all(
        e.outcome not in untried and not facts.answered(c, e) for c, e in zip(controls, evidence, strict=True)
    )


def _how(facts: Facts, probe: Probe, evidence: Evidence) -> str:
    """How it came that the request did not arrive."""
    if to_itself(facts, probe):
        own = f"{probe.address} is {probe.source}'s own address on {facts.host(probe.source)}"
        return f"{own}: delivered to itself, never to {probe.target}."
    if evidence.outcome is Outcome.NO_ROUTE:
        kernel = f"The kernel of {facts.host(probe.source)}"
        went = f"{kernel} has no route for {probe.source} to {probe.address}: nothing left"
    elif evidence.left:
        went = f"The request left {probe.source}{f' by {evidence.via}' if evidence.via else ''}"
    else:
        went = f"{probe.source} asked who has {probe.address} and learnt nothing"
    by = f" ({evidence.responder} answered in its place)" if evidence.responder else ""
    return f"{went}; {probe.target} was alive and saw nothing of it{by}."
