"""Evidence of kinds reach, scope, vip and name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from swarmlab.model.check_evidence.base import CheckEvidence
from swarmlab.model.check_evidence.control import Control
from swarmlab.model.check_evidence.words import Told, ended, flat, travelled
from swarmlab.model.plain import plain


@dataclass(frozen=True, kw_only=True)
class ExchangeEvidence(CheckEvidence):
    """One exchange, both sides of it: see `model.evidence.Evidence`. `address` is where the request went."""

    TOLD: ClassVar[frozenset[str]] = frozenset(
        {
            *("outcome", "responder", "detail", "left", "asked", "via", "sends"),
            *("seen", "answer_left", "lost_records", "controls"),
        }
    )

    outcome: str
    responder: str
    latency_ms: float | None
    left: bool | None
    asked: bool | None
    via: str
    seen: bool | None
    answer_left: bool | None
    sends: int
    lost_records: int
    detail: str
    address: str
    controls: tuple[Control, ...] = ()

    def _shown(self) -> dict[str, Any]:
        shown = super()._shown()
        if not self.controls:
            del shown["controls"]
        return shown

    def _told(self) -> Iterator[Told]:
        yield "outcome", "outcome", ended(self.outcome, self.responder, self.detail)
        yield from travelled(
            left=self.left,
            asked=self.asked,
            via=self.via,
            sends=self.sends,
            seen=self.seen,
            answer_left=self.answer_left,
            lost_records=self.lost_records,
        )

    def _control_texts(self) -> Iterable[str]:
        return (control.text for control in self.controls)


@dataclass(frozen=True, kw_only=True)
class BalanceEvidence(CheckEvidence):
    """Many connections to one virtual address: by task, how many it answered."""

    MARK: ClassVar[str] = "connections"

    address: str
    connections: int
    answers_by: Mapping[str, int]
    unanswered: int


@dataclass(frozen=True)
class NameControl:
    """A question that should be answered; `probe` says who asked which name."""

    probe: str
    rcode: str

    @property
    def text(self) -> str:
        """On one line."""
        return flat(plain(self))


@dataclass(frozen=True, kw_only=True)
class LookupEvidence(CheckEvidence):
    """One question to the embedded DNS, and its answer; `accepted` are the answers that would be right."""

    TOLD: ClassVar[frozenset[str]] = frozenset({"outcome", "detail", "sends", "controls"})

    name: str
    outcome: str
    rcode: str
    addresses: tuple[str, ...]
    latency_ms: float | None
    sends: int
    detail: str
    accepted: tuple[tuple[str, ...], ...]
    controls: tuple[NameControl, ...]

    def _told(self) -> Iterator[Told]:
        yield "outcome", "outcome", ended(self.outcome, detail=self.detail)

    def _control_texts(self) -> Iterable[str]:
        return (control.text for control in self.controls)
