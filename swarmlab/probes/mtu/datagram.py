"""When a full-size packet is proven to pass in one piece, or not to. What small ones cannot do is no matter of size."""

from __future__ import annotations

from swarmlab.model.judgement import Judgement, not_proven, proven, violated
from swarmlab.model.kinds import FITS
from swarmlab.model.mtu import TOO_BIG, MtuEvidence, SizeProbe
from swarmlab.probes.mtu.facts import Sizes

TRIES = 3  # full-size packets lost before that means anything


def judge_datagram(sizes: Sizes, probe: SizeProbe) -> Judgement:
    """Whether a packet as large as the overlay's MTU passes, and in one piece."""
    e = sizes.evidence(probe)
    unsound = sizes.unsound(probe)
    if unsound:
        return not_proven(unsound)
    if not e.small or e.responder != probe.target:
        return not_proven(_no_control(probe, e) + sizes.without_esp(probe))
    if e.full:
        return _whole(sizes, probe, e)
    if e.tries < TRIES:
        return not_proven(f"the full size could be sent only {e.tries} times of {TRIES} ({e.detail or 'no detail'})")
    limit = f"the largest that passes is {e.largest}" if e.exact else f"{e.largest} bytes do pass"
    text = (
        f"A packet of {e.mtu} bytes, the MTU of {e.interface} in {probe.source}, was sent {e.tries} times to "
        f"{probe.target} and never arrived, while small ones did; {limit}{sizes.outer_text(probe)}."
    )
    return violated(TOO_BIG, text)


def _whole(sizes: Sizes, probe: SizeProbe, e: MtuEvidence) -> Judgement:
    """It arrived. VXLAN's outer packet may be fragmented on the way, which the inner one cannot tell."""
    arrived, underlay = sizes.measured.fragments.get(probe.target_host), sizes.underlay_probe(probe)
    if arrived == 0 or (underlay is not None and underlay.largest >= sizes.needs(probe)):
        return proven(FITS)
    doubt = _perhaps_in_pieces(sizes, probe, e, arrived, underlay)
    if doubt or underlay is None:
        return not_proven(doubt)
    text = (
        f"A packet of {e.mtu} bytes passes from {probe.source} to {probe.target} only in fragments: its outer "
        f"packet has {sizes.needs(probe)} bytes, the underlay from {probe.source_host} to {probe.target_host} "
        f"passes at most {underlay.largest}, and {arrived} fragments arrived."
    )
    return violated(TOO_BIG, text)


def _perhaps_in_pieces(
    sizes: Sizes, probe: SizeProbe, e: MtuEvidence, arrived: int | None, underlay: MtuEvidence | None
) -> str:
    """Why it is not known whether it came in pieces; "" when it is known that it did."""
    silent = f"{probe.target_host} does not say whether fragments arrived"
    if underlay is None:
        seen = "fragments arrived there meanwhile" if arrived else silent
        return (
            f"a packet of {e.mtu} bytes passes from {probe.source} to {probe.target}, but perhaps in pieces: "
            f"{seen}, and no path MTU could be measured between the hosts"
        )
    if not arrived:
        return f"the underlay passes {underlay.largest} bytes of {sizes.needs(probe)}, and {silent}"
    if underlay.tries < TRIES or underlay.full or not underlay.exact:
        return f"the path MTU from {probe.source_host} to {probe.target_host} was not found within the time-out"
    return ""


def _no_control(probe: SizeProbe, e: MtuEvidence) -> str:
    if e.small:
        return f"{e.responder or 'a stranger'} answered in place of {probe.target}"
    why = f" ({e.detail})" if e.detail else ""
    lost = f"not even small packets from {probe.source} to {probe.target} are acknowledged{why}"
    return f"{lost}: that is no matter of size, see reach"
