"""Evidence of kind clock."""

from __future__ import annotations

from dataclasses import dataclass

from swarmlab.model.check_evidence.base import CheckEvidence


@dataclass(frozen=True, kw_only=True)
class ClockEvidence(CheckEvidence):
    """Seconds that a host's clock is ahead of the median of all, give or take `error_s`; None: not known.

    `compared` are the hosts whose clocks are in the median.
    """

    ahead_s: float | None
    error_s: float
    limit_s: float
    compared: tuple[str, ...]
