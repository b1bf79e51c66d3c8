"""Controls: exchanges of the same run that give a verdict its weight, or fail to."""

from __future__ import annotations

from dataclasses import dataclass

from swarmlab.model.check_evidence.words import flat, spaced
from swarmlab.model.plain import plain


@dataclass(frozen=True)
class Control:
    """`proves` says for what it was made, `probe` which exchange it was, as ids name it."""

    proves: str
    probe: str
    outcome: str
    latency_ms: float | None

    @property
    def text(self) -> str:
        """On one line."""
        return proof(self.proves, self.probe, self.outcome) if self.proves else flat(plain(self))


def proof(proves: str, probe: str, outcome: str) -> str:
    """What a control proves, and what came of it.

    >>> proof("the sender can send", "front.1->api.1@front/tcp", "timed_out")
    'the sender can send: front.1->api.1@front/tcp timed out'
    """
    return f"{proves}: {probe} {spaced(outcome)}".rstrip()
