"""What a check of kind wire shows as its evidence."""

from __future__ import annotations

from collections.abc import Iterator

from swarmlab.model.wire import TunnelPath
from swarmlab.probes.wire.facts import WireFacts


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
