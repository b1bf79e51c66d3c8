"""What a check of kind wire shows as its evidence."""

from __future__ import annotations

from swarmlab.model.check_evidence.wire import CounterReadings, GuardedWireEvidence, WireEvidence
from swarmlab.model.wire import TunnelPath
from swarmlab.probes.wire.facts import WireFacts


def evidence(facts: WireFacts, p: TunnelPath) -> WireEvidence:
    """What was seen of one tunnel path; more of one that is, or should be, encrypted."""
    capture, read, esp = facts.capture(p.source.host), facts.read(p), facts.esp(p)
    shown = WireEvidence(
        vni=tuple(sorted(p.vnis)),
        excerpt=read[0].excerpt if read else "",
        read_in_clear=sum(s.where.packets for s in read),
        vxlan_packets=sum(c.packets for c in facts.vxlan(p)),
        esp_packets=sum(c.packets for c in esp),
        spis=tuple(_spi(number) for number in sorted({c.number for c in esp})),
        captured=capture.packets,
        not_captured=capture.unseen,
        arrived_at_target=p.name in facts.measured.arrived,
    )
    return _guarded(facts, p, shown) if p in facts.plan.guarded else shown


def _guarded(facts: WireFacts, p: TunnelPath, shown: WireEvidence) -> GuardedWireEvidence:
    witness, forged = facts.witness(p), facts.forged_witness(p)
    rules = (*facts.marking(p), *facts.dropping(p))
    came = "arrived" if p.forged_name in facts.measured.arrived else "did not arrive"
    return GuardedWireEvidence(
        **vars(shown),
        capture_proven_by=f"the canary of plain {witness.network}, read in clear" if witness else "",
        spis_held=tuple(map(_spi, facts.spis(p))),
        association_bytes=CounterReadings(*facts.association_bytes(p)),
        packets_marked=CounterReadings(*facts.marked(p)),
        peer_dropped_in_clear=CounterReadings(*facts.dropped(p)),
        rules=tuple(f"{r.form} {r.table} {r.chain}#{r.place} {r.target}" for r in rules),
        forged_frame=facts.measured.unsent.get(p.forged_name) or came,
        forging_proven_by=f"a forged frame for plain {forged.network}, which arrived" if forged else "",
        lacking_esp=tuple(facts.without_esp(p)),
    )


def _spi(number: int) -> str:
    return f"0x{number:08x}"
