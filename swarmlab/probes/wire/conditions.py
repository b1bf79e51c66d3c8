"""What shows that an overlay is readable, and what must hold before it is called encrypted: each is one small function.

Each condition returns "" where it holds, else what is missing, in words.
"""

from __future__ import annotations

from collections.abc import Callable

from swarmlab.model.wire import TunnelPath
from swarmlab.probes.wire.facts import WireFacts


def in_clear(facts: WireFacts, p: TunnelPath) -> str:
    """What proves that this overlay's packets can be read, or forged; "" if nothing does."""
    here, there = p.direction
    read, frames = facts.read(p), facts.vxlan(p)
    if read:
        how = f"VXLAN {read[0].where.number}" if read[0].where.kind == "vxlan" else f"{read[0].where.kind} packets"
        canary = f"the canary that {p.source.id} sent to {p.target.id}"
        return f"{canary} was read in clear as it left {here}, in {how} to {read[0].where.target}"
    if frames:
        count = sum(c.packets for c in frames)
        return f"{count} VXLAN frames of VNI {frames[0].number} left {here} in clear for {frames[0].target}"
    if facts.injectable(p):
        return f"{there} takes cleartext for it: a forged VXLAN frame in clear arrived at {p.target.id}"
    return ""


def kernels_have_esp(facts: WireFacts, p: TunnelPath) -> str:
    """Without ESP nothing can be encrypted; the engine does not say so."""
    without = facts.without_esp(p)
    if not without or p.plain:
        return ""
    many = f"kernels of {' and '.join(without)} have" if len(without) > 1 else f"kernel of {without[0]} has"
    return f"the {many} no ESP (XFRM): the engine drops the encrypted network's traffic"


def agents_answered(facts: WireFacts, p: TunnelPath) -> str:
    """Both hosts' agents lived to the end."""
    gone = (facts.measured.dead[host] for host in p.direction if host in facts.measured.dead)
    return next((f"the agent is gone ({why})" for why in gone), "")


def vni_is_known(facts: WireFacts, p: TunnelPath) -> str:
    """Without it no frame can be told to be this overlay's."""
    return "" if p.vnis else "the engine does not tell the network's VNI"


def canary_was_sent(facts: WireFacts, p: TunnelPath) -> str:
    """The sender's kernel took it."""
    error = facts.measured.unsent.get(p.name)
    return f"the canary was not sent from {p.source.id} ({error})" if error else ""


def capture_is_whole(facts: WireFacts, p: TunnelPath) -> str:
    """What the sender's capture did not see was not there."""
    capture, host = facts.capture(p.source.host), p.source.host
    if capture.error:
        return f"no capture on {host}: {capture.error}"
    return "" if capture.whole else f"the capture on {host} lost {capture.unseen or 'an unknown number of'} packets"


def capture_is_proven(facts: WireFacts, p: TunnelPath) -> str:
    """The same capture read the canary of a plain overlay, in the same direction: so it would have read this one."""
    if facts.witness(p) is not None:
        return ""
    here, there = p.direction
    controls = sorted({w.network for w in facts.controls(p)})
    if not controls:
        return f"no plain overlay is carried from {here} to {there}, so the capture is not proven"
    canary = f"the canary of plain {' and '.join(controls)} to {there}"
    return f"the capture on {here} is not proven: {canary} was not seen in it"


def esp_was_seen(facts: WireFacts, p: TunnelPath) -> str:
    """It left, with an SPI that the sender's kernel holds for that peer."""
    here, there = p.direction
    if not facts.held(p):
        errors = [e for e in facts.after(here).errors if "IPsec" in e]
        return f"{here} holds no IPsec association for {there}" + (f" ({errors[0]})" if errors else "")
    if not facts.esp(p):
        return f"no ESP from {here} to {there} was seen"
    if not facts.spis(p):
        return f"the ESP from {here} to {there} has an SPI that {here}'s kernel does not hold"
    return ""


def canary_came(facts: WireFacts, p: TunnelPath) -> str:
    """It was read nowhere and yet came, so it was in the ESP. One that was lost may never have left; and overlays share
    associations.
    """
    if not facts.esp(p) or p.name in facts.measured.arrived:
        return ""
    others = sorted({q.network for q in facts.plan.paths if q.direction == p.direction and not q.plain} - {p.network})
    whose = f"that of {' and '.join(others)}" if others else "another's"
    return f"the canary did not arrive at {p.target.id}, so the ESP that was seen may be {whose}"


def policy_fits(facts: WireFacts, p: TunnelPath) -> str:
    """Source as it really is, destination port the data path's."""
    if not facts.esp(p) or facts.policy_fits(p):
        return ""
    return f"no policy on {p.source.host} fits packets to port {facts.plan.data_port} of {p.target.host}"


def association_was_used(facts: WireFacts, p: TunnelPath) -> str:
    """Its byte counter rose while the canary passed."""
    first, last = facts.association_bytes(p)
    if not facts.spis(p) or last > first:
        return ""
    return f"the association on {p.source.host} for {p.target.host} did not count a byte"


def rule_marked(facts: WireFacts, p: TunnelPath) -> str:
    """The MARK rule is there, with the right VNI and port, and its counter rose."""
    host = p.source.host
    if not facts.marking(p):
        return f"no MARK rule for VNI {_vnis(p)} was found on {host}{_unread(facts, host)}"
    first, last = facts.marked(p)
    return "" if last > first else f"the MARK rule for VNI {_vnis(p)} on {host} did not count a packet"


def peer_would_drop(facts: WireFacts, p: TunnelPath) -> str:
    """The peer refuses this overlay's packets in clear, and nobody sent it any."""
    host = p.target.host
    if not facts.dropping(p):
        return f"no DROP rule for VNI {_vnis(p)} was found on {host}{_unread(facts, host)}"
    first, last = facts.dropped(p)
    if last <= first or any(in_clear(facts, q) for q in facts.others_to(p)):
        return ""  # where another host is known to send them, that is its fault, and its check says so
    return f"{host} dropped {last - first} packets of VNI {_vnis(p)} in clear: some host sends them"


def forgery_was_refused(facts: WireFacts, p: TunnelPath) -> str:
    """A forged frame did not arrive, where one for a plain overlay did. (One that arrived is a leak, judged
    before.)
    """
    error = facts.measured.unsent.get(p.forged_name)
    if error:
        return f"no forged frame was tried: {error}"
    if facts.forged_witness(p) is None:
        return f"forging is not proven: no forged frame for a plain overlay arrived on {p.target.host} either"
    if p.target.id in facts.measured.capture_dropped:
        return f"the capture in {p.target.id} lost packets, so a forged frame may have come"
    return ""


CONDITIONS: tuple[Callable[[WireFacts, TunnelPath], str], ...] = (
    kernels_have_esp,
    agents_answered,
    vni_is_known,
    canary_was_sent,
    capture_is_whole,
    capture_is_proven,
    esp_was_seen,
    canary_came,
    policy_fits,
    association_was_used,
    rule_marked,
    peer_would_drop,
    forgery_was_refused,
)
# What explains a canary that was not read on a plain overlay.
OF_PLAIN = (agents_answered, canary_was_sent, capture_is_whole)


def _vnis(p: TunnelPath) -> str:
    return ", ".join(map(str, sorted(p.vnis))) or "?"


def _unread(facts: WireFacts, host: str) -> str:
    state = facts.after(host)
    if state.forms:
        return ""
    return f" (no packet filter could be read there{': ' + state.errors[0] if state.errors else ''})"
