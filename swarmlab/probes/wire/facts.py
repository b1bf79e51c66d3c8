"""What a look at the wire tells about one tunnel path, each question one small function. None of them knows what is
expected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from swarmlab.model.kinds import ESP
from swarmlab.model.wire import (
    MARK,
    Association,
    CanaryHit,
    Capture,
    Count,
    KernelState,
    Rule,
    TunnelPath,
    WireMeasurement,
    WirePlan,
)

NOTHING = KernelState()
RulePart = Callable[[Rule], bool]


class WireFacts:
    """Answers about tunnel paths."""

    def __init__(self, plan: WirePlan, measured: WireMeasurement) -> None:
        self.plan, self.measured = plan, measured

    def addresses(self, host: str) -> frozenset[str]:
        """The host's own on the underlay."""
        return self.measured.addresses.get(host, frozenset())

    def capture(self, host: str) -> Capture:
        """That host's; one that says why where there is none."""
        return self.measured.captures.get(host, Capture(error="its agent did not tell what it captured"))

    def outgoing(self, p: TunnelPath, kind: str) -> Iterator[Count]:
        """What the sender's host put on the underlay for the target's."""
        for count in self.capture(p.source.host).counts:
            if count.outgoing and count.kind == kind and count.target in self.addresses(p.target.host):
                yield count

    def esp(self, p: TunnelPath) -> list[Count]:
        """ESP to that peer."""
        return list(self.outgoing(p, "esp"))

    def vxlan(self, p: TunnelPath) -> list[Count]:
        """VXLAN of this overlay in clear to that peer, or to somebody who has no part in it."""
        counts = self.capture(p.source.host).counts
        sharing = (q.target.host for q in self.plan.paths if q.network == p.network and q.source.host == p.source.host)
        peers = frozenset().union(*map(self.addresses, sharing))
        strangers = (c for c in counts if c.outgoing and c.kind == "vxlan" and c.target not in peers)
        return [c for c in (*self.outgoing(p, "vxlan"), *strangers) if c.number in p.vnis]

    def read(self, p: TunnelPath) -> list[CanaryHit]:
        """Where the sender's capture read the canary in clear as it left."""
        return [s for s in self.capture(p.source.host).canaries_read if s.where.outgoing and s.canary == p.name]

    def witness(self, p: TunnelPath) -> TunnelPath | None:
        """A tunnel path over another, plain overlay in the same direction, whose canary the same capture read in
        clear.
        """
        return next(
            (
                w
                for w in self.plan.paths
                if w.direction == p.direction and w.network != p.network and w.plain and self.read(w)
            ),
            None,
        )

    def forged_witness(self, p: TunnelPath) -> TunnelPath | None:
        """A plain tunnel path in the same direction, for which a forged frame arrived."""
        return next((w for w in self.controls(p) if w.forged_name in self.measured.arrived), None)

    def injectable(self, p: TunnelPath) -> bool:
        """A forged frame in clear arrived, although the overlay is encrypted."""
        return not p.plain and p.forged_name in self.measured.arrived

    def controls(self, p: TunnelPath) -> list[TunnelPath]:
        """Plain ones, in the same direction, over other overlays."""
        return [w for w in self.plan.paths if w.direction == p.direction and w.network != p.network and w.plain]

    def others_to(self, p: TunnelPath) -> list[TunnelPath]:
        """Over the same overlay to the same host, from others."""
        return [
            q
            for q in self.plan.paths
            if q.network == p.network and q.target.host == p.target.host and q.source.host != p.source.host
        ]

    def before(self, host: str) -> KernelState:
        """What the kernel said before the canaries passed."""
        return self.measured.before.get(host, NOTHING)

    def after(self, host: str) -> KernelState:
        """And after."""
        return self.measured.after.get(host, NOTHING)

    def held(self, p: TunnelPath) -> list[Association]:
        """The associations by which the sender may encrypt for that peer."""
        return [a for a in self.after(p.source.host).associations if a.target in self.addresses(p.target.host)]

    def spis(self, p: TunnelPath) -> list[int]:
        """SPIs that were seen leaving, and that the sender's kernel holds for that peer."""
        return sorted({c.number for c in self.esp(p)} & {a.spi for a in self.held(p)})

    def unreadable_by_peer(self, p: TunnelPath) -> list[int]:
        """SPIs that were seen leaving and that the peer does not hold, so that it cannot decrypt."""
        peer = {a.spi for a in self.after(p.target.host).associations if a.target in self.addresses(p.target.host)}
        return sorted({c.number for c in self.esp(p)} - peer)

    def association_bytes(self, p: TunnelPath) -> tuple[int, int]:
        """Through the associations with the SPIs seen, before and after."""
        seen, peers = {c.number for c in self.esp(p)}, self.addresses(p.target.host)
        states = (self.before(p.source.host), self.after(p.source.host))
        first, last = (
            sum(a.bytes for a in state.associations if a.spi in seen and a.target in peers) for state in states
        )
        return first, last

    def used(self, p: TunnelPath, host: str) -> bool:
        """Whether that host's kernel counted bytes through any association in this direction while canaries passed."""
        here, there = (self.addresses(end) for end in p.direction)
        first, last = (
            sum(a.bytes for a in state.associations if a.source in here and a.target in there)
            for state in (self.before(host), self.after(host))
        )
        return last > first

    def policy_fits(self, p: TunnelPath) -> bool:
        """A policy sends marked packets from the address that they really come from, to the data path's port, into
        ESP.
        """
        real = {c.source for c in self.esp(p)}
        return any(
            o.direction == "out"
            and o.target in self.addresses(p.target.host)
            and o.source in real
            and o.dport == self.plan.data_port
            for o in self.after(p.source.host).policies
        )

    def marking(self, p: TunnelPath) -> list[Rule]:
        """The sender's rules that hand this overlay's packets to IPsec."""
        return [r for r in self.after(p.source.host).rules if self._marks(r, p)]

    def _marks(self, rule: Rule, p: TunnelPath) -> bool:
        fits = rule.table == "mangle" and rule.target == "MARK" and rule.mark == MARK
        return fits and rule.vni in p.vnis and rule.dport == self.plan.data_port

    def dropping(self, p: TunnelPath) -> list[Rule]:
        """The peer's rules that refuse this overlay's packets in clear."""
        return [r for r in self.after(p.target.host).rules if self._drops(r, p)]

    def _drops(self, rule: Rule, p: TunnelPath) -> bool:
        return rule.table == "filter" and rule.target == "DROP" and rule.vni in p.vnis

    def marked(self, p: TunnelPath) -> tuple[int, int]:
        """Packets that the sender's rules have marked, before and after."""
        return self._sums(p.source.host, lambda rule: self._marks(rule, p))

    def dropped(self, p: TunnelPath) -> tuple[int, int]:
        """Packets in clear that the peer's rules have refused, before and after."""
        return self._sums(p.target.host, lambda rule: self._drops(rule, p))

    def _sums(self, host: str, wanted: RulePart) -> tuple[int, int]:
        first, last = (
            sum(r.packets for r in state.rules if wanted(r)) for state in (self.before(host), self.after(host))
        )
        return first, last

    def without_esp(self, p: TunnelPath) -> list[str]:
        """Hosts of the tunnel path whose kernel has no ESP."""
        return [host for host in p.direction if ESP in self.measured.missing_features.get(host, ())]
