"""Evidence of kind network."""

from __future__ import annotations

from dataclasses import dataclass

from swarmlab.model.check_evidence.base import CheckEvidence


@dataclass(frozen=True, kw_only=True)
class PropertyEvidence(CheckEvidence):
    """A property of a network, and what one host's engine says it is."""

    property: str
    found: str
