"""Evidence of kind wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from swarmlab.model.check_evidence.base import CheckEvidence
from swarmlab.model.kinds import ENCRYPTED


@dataclass(frozen=True, kw_only=True)
class WireEvidence(CheckEvidence):
    """What the sender's host put on the underlay for one overlay and one other host, and whether the canary came."""

    vni: tuple[int, ...]
    excerpt: str
    read_in_clear: int
    vxlan_packets: int
    esp_packets: int
    spis: tuple[str, ...]
    captured: int
    not_captured: int
    arrived_at_target: bool

    @property
    def readable(self) -> str:
        """What was read beside the canary."""
        return self.excerpt

    def counted(self, observed: str) -> Mapping[str, int]:
        """ESP supports that it is encrypted."""
        return {"ESP packet": self.esp_packets} if observed == ENCRYPTED else {}


@dataclass(frozen=True)
class CounterReadings:
    """A counter of a kernel, before the canaries passed and after."""

    before: int
    after: int


@dataclass(frozen=True, kw_only=True)
class GuardedWireEvidence(WireEvidence):
    """What an overlay that is, or should be, encrypted has besides: what kernels know and counted, and controls."""

    MARK: ClassVar[str] = "spis_held"

    capture_proven_by: str
    spis_held: tuple[str, ...]
    association_bytes: CounterReadings
    packets_marked: CounterReadings
    peer_dropped_in_clear: CounterReadings
    rules: tuple[str, ...]
    forged_frame: str
    forging_proven_by: str
    lacking_esp: tuple[str, ...]
