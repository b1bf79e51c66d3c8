"""What agents answer about the wire, as values that the judge knows."""

from __future__ import annotations

from swarmlab.agent.protocol.wire import PacketCount, WireStateAnswer, WireStopAnswer
from swarmlab.model.wire import Association, CanaryHit, Capture, Count, KernelState, Policy, Rule


def capture(told: WireStopAnswer) -> Capture:
    """What a host's capture saw; what could not be understood counts as unseen."""
    return Capture(
        error="",
        packets=told.packets,
        unseen=told.drops + told.uncounted + told.misfits,
        complete=told.complete,
        counts=tuple(map(_count, told.counts)),
        canaries_read=tuple(CanaryHit(read.canary, _count(read.where), read.excerpt) for read in told.canaries),
    )


def _count(told: PacketCount) -> Count:
    return Count(
        interface=told.interface,
        outgoing=told.outgoing,
        source=told.source,
        target=told.target,
        kind=told.kind,
        number=told.number,
        packets=told.packets,
    )


def kernel_state(told: WireStateAnswer) -> KernelState:
    """What a host's kernel was told, as its agent read it."""
    return KernelState(
        tuple(Association(s.source, s.target, s.spi, s.bytes) for s in told.states),
        tuple(
            Policy(source=p.source, target=p.target, dport=p.dport, direction=p.direction, mark=p.mark, spi=p.spi)
            for p in told.policies
        ),
        tuple(
            Rule(
                form=r.form,
                table=r.table,
                chain=r.chain,
                place=r.place,
                vni=r.vni,
                target=r.target,
                mark=r.mark,
                dport=r.dport,
                packets=r.packets,
            )
            for r in told.rules
        ),
        told.forms,
        tuple(error for error in (*told.errors, told.xfrm_error) if error),
    )
