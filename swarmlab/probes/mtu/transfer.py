"""When a bulk transfer is proven to complete, or to stall. What a few bytes cannot do is no matter of size."""

from __future__ import annotations

from swarmlab.model.judgement import Judgement, not_proven, proven, violated
from swarmlab.model.kinds import FITS
from swarmlab.model.mtu import TOO_BIG, BulkEvidence, SizeProbe
from swarmlab.probes.mtu.facts import Sizes

STALLED = 0.9  # of the time-out: a transfer of which nothing more was acknowledged for that long has stopped


def judge_transfer(sizes: Sizes, probe: SizeProbe) -> Judgement:
    """Whether as many bytes as a page or an image has get through by TCP."""
    e = sizes.evidence(probe)
    unsound = sizes.unsound(probe)
    if unsound:
        return not_proven(unsound)
    if e.bulk is None or e.control is None:
        return not_proven("no transfer was tried")
    if e.bulk.responder:
        complete = e.bulk.responder == probe.target and e.bulk.moved == e.bulk.size > 0
        other = f"{e.bulk.responder} answered in place of {probe.target}"
        return proven(FITS) if complete else not_proven(other)
    if e.control.responder != probe.target:
        return not_proven(
            f"not even {e.control.size} bytes get through from {probe.source} to {probe.target} by TCP "
            f"({_how(e.control)}): that is no matter of size, see reach{sizes.without_esp(probe)}"
        )
    return _stalled(sizes, probe, e.bulk)


def _stalled(sizes: Sizes, probe: SizeProbe, bulk: BulkEvidence) -> Judgement:
    moved = f"{bulk.moved or 'none'} of {bulk.size} bytes were acknowledged"
    if bulk.outcome != "timed_out":
        return not_proven(f"the transfer ended early ({_how(bulk)}); {moved}")
    if bulk.moved >= bulk.size:
        return not_proven(f"{moved}, yet {probe.target}'s listener did not say so")
    if bulk.idle_ms is None or bulk.idle_ms < STALLED * sizes.plan.timeout * 1000:
        return not_proven(f"the transfer was still under way after four times the time-out; {moved}")
    text = (
        f"A transfer from {probe.source} to {probe.target} stalls, while a few bytes get through: {moved}, and "
        f"nothing more for the last {bulk.idle_ms / 1000:.1f} s{sizes.outer_text(probe)}."
    )
    return violated(TOO_BIG, text)


def _how(bulk: BulkEvidence) -> str:
    return f"{bulk.outcome} {bulk.detail}".strip()
