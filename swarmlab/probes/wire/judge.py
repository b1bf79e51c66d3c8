"""When an overlay is proven encrypted, or readable, between two hosts. Each condition is one small function."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from swarmlab.model.check import Check, Verdict
from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import CLEAR, ENCRYPTED, Kind
from swarmlab.model.scenario import Scenario
from swarmlab.model.wire import UNKNOWN, TunnelPath, WireMeasurement, WirePlan
from swarmlab.probes.session.endpoints import owner
from swarmlab.probes.wire.facts import WireFacts

Judged = tuple[str, str]  # observed, explanation


def judge_wire(scenario: Scenario, plan: WirePlan, measured: WireMeasurement) -> tuple[Check, ...]:
    """One check per overlay and ordered pair of hosts that carries it; one for an overlay that somebody wrote about and
    no pair carries.
    """
    facts = WireFacts(plan, measured)
    checks = [_check(facts, p, p.expectation) for p in plan.paths if p.expectation is not None]
    covered = {check.network for check in checks}
    written = (e for e in scenario.expectations if e.kind is Kind.WIRE and not e.derived)
    return (*checks, *(_uncarried(e) for e in written if e.network not in covered))


def observe(facts: WireFacts, p: TunnelPath) -> Judged:
    """One packet in clear is enough to call it clear; encrypted needs every condition; the rest is not known, and says
    why.
    """
    leak = in_clear(facts, p)
    if leak:
        return CLEAR, leak
    missing = list(dict.fromkeys(filter(None, (condition(facts, p) for condition in CONDITIONS))))
    return (UNKNOWN, "; ".join(missing)) if missing else (ENCRYPTED, "")


def in_clear(facts: WireFacts, p: TunnelPath) -> str:
    """What proves that this overlay's packets can be read, or forged; "" if nothing does."""
    here, there = p.direction
    read, frames = facts.read(p), facts.vxlan(p)
    if read:
        how = f"VXLAN {read[0].where.number}" if read[0].where.kind == "vxlan" else f"{read[0].where.kind} packets"
        return f"the canary that {p.source.id} sent to {p.target.id} was read in clear as it left {here}, in {how} to {read[0].where.target}"
    if frames:
        count = sum(c.packets for c in frames)
        return f"{count} VXLAN frames of VNI {frames[0].number} left {here} in clear for {frames[0].target}"
    if facts.injectable(p):
        return f"{there} takes cleartext for it: a forged VXLAN frame in clear arrived at {p.target.id}"
    return ""


def kernels_have_esp(facts: WireFacts, p: TunnelPath) -> str:
    """Without ESP nothing can be encrypted; the engine does not say so."""
    lacking = facts.lacking(p)
    many = (
        f"the kernels of {' and '.join(lacking)} have" if len(lacking) > 1 else f"the kernel of {''.join(lacking)} has"
    )
    return f"{many} no ESP (XFRM): the engine drops the encrypted network's traffic" if lacking and not p.plain else ""


def agents_answered(facts: WireFacts, p: TunnelPath) -> str:
    """Both hosts' agents lived to the end."""
    return next(
        (f"the agent is gone ({facts.measured.dead[host]})" for host in p.direction if host in facts.measured.dead), ""
    )


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
    """The same capture read the canary of a plain overlay, the same way: so it would have read this one."""
    if facts.witness(p) is not None:
        return ""
    here, there = p.direction
    twins = sorted({w.network for w in facts.twins(p)})
    if not twins:
        return f"no plain overlay is carried from {here} to {there}, so the capture is not proven"
    return (
        f"the capture on {here} is not proven: the canary of plain {' and '.join(twins)} to {there} was not seen in it"
    )


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
    return (
        ""
        if not facts.spis(p) or last > first
        else f"the association on {p.source.host} for {p.target.host} did not count a byte"
    )


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
    if last > first and any(in_clear(facts, q) for q in facts.others_to(p)):
        return ""  # another host is known to send them: that is its fault, and its check says so
    return (
        ""
        if last <= first
        else f"{host} dropped {last - first} packets of VNI {_vnis(p)} in clear: some host sends them"
    )


def forgery_was_refused(facts: WireFacts, p: TunnelPath) -> str:
    """A forged frame did not arrive, by a way on which one for a plain overlay did. (One that arrived is a leak, judged
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
    if not state.forms:
        return f" (no packet filter could be read there{': ' + state.errors[0] if state.errors else ''})"
    return ""


def _check(facts: WireFacts, p: TunnelPath, e: Expectation) -> Check:
    observed, text = observe(facts, p)
    if e.expected == CLEAR and observed != ENCRYPTED and not facts.read(p):
        observed, text = UNKNOWN, _not_read(facts, p)
    verdict, explanation = _verdict(p, e.expected, observed, text)
    here, there = p.direction
    return Check(
        id=f"wire:{p.network}@{here}->{there}",
        kind=str(Kind.WIRE),
        source=p.source.id,
        target=p.target.id,
        network=p.network,
        protocol="",
        port=0,
        expected=e.expected,
        observed=observed,
        verdict=verdict,
        because=e.because,
        explanation=explanation,
        source_service=owner(p.source),
        target_service=owner(p.target),
        source_host=here,
        target_host=there,
        evidence=evidence(facts, p),
    )


def _not_read(facts: WireFacts, p: TunnelPath) -> str:
    """Why a canary that anybody could read was not read."""
    why = next(filter(None, (condition(facts, p) for condition in OF_PLAIN)), "")
    came = "it arrived all the same" if p.name in facts.measured.arrived else "it did not arrive either"
    return why or f"the capture on {p.source.host} did not read the canary; {came}"


def _verdict(p: TunnelPath, expected: str, observed: str, text: str) -> tuple[Verdict, str]:
    here, there = p.direction
    if observed == UNKNOWN:
        return Verdict.INCONCLUSIVE, f"Not proven: {text}."
    if observed == expected:
        return Verdict.PASS, f"{text[:1].upper()}{text[1:]}." if text else f"Nothing but ESP left {here} for {there}."
    if observed == CLEAR:
        return Verdict.FAIL, f"{p.network} is not encrypted from {here} to {there}: {text}."
    return Verdict.FAIL, f"{p.network} is encrypted from {here} to {there}: nothing but ESP left."


def evidence(facts: WireFacts, p: TunnelPath) -> dict[str, object]:
    """As plain values."""
    capture, read, esp = facts.capture(p.source.host), facts.read(p), facts.esp(p)
    shown: dict[str, object] = {
        "vni": sorted(p.vnis),
        "excerpt": read[0].excerpt if read else "",
        "read_in_clear": sum(s.where.packets for s in read),
        "vxlan_packets": sum(c.packets for c in facts.vxlan(p)),
        "esp_packets": sum(c.packets for c in esp),
        "spis": [f"0x{spi:08x}" for spi in sorted({c.number for c in esp})],
        "captured": capture.packets,
        "not_captured": capture.unseen,
        "arrived_at_target": p.name in facts.measured.arrived,
    }
    return {**shown, **(dict(_guards(facts, p)) if p in facts.plan.guarded else {})}


def _guards(facts: WireFacts, p: TunnelPath) -> Iterator[tuple[str, object]]:
    """What an encrypted overlay has besides."""
    witness, forged = facts.witness(p), facts.forged_witness(p)
    yield "capture_proven_by", f"the canary of plain {witness.network}, read in clear" if witness else ""
    yield "spis_held", [f"0x{spi:08x}" for spi in facts.spis(p)]
    for name, (first, last) in (
        ("association_bytes", facts.association_bytes(p)),
        ("packets_marked", facts.marked(p)),
        ("peer_dropped_in_clear", facts.dropped(p)),
    ):
        yield name, {"before": first, "after": last}
    yield (
        "rules",
        [f"{r.form} {r.table} {r.chain}#{r.place} {r.target}" for r in (*facts.marking(p), *facts.dropping(p))],
    )
    came = "arrived" if p.forged_name in facts.measured.arrived else "did not arrive"
    yield "forged_frame", facts.measured.unsent.get(p.forged_name) or came
    yield "forging_proven_by", f"a forged frame for plain {forged.network}, which arrived" if forged else ""
    yield "lacking_esp", facts.lacking(p)


def _uncarried(e: Expectation) -> Check:
    return Check(
        id=f"wire:{e.network}",
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
