"""Evidence of kind publish."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from swarmlab.model.check_evidence.base import CheckEvidence
from swarmlab.model.check_evidence.control import Control
from swarmlab.model.check_evidence.words import Told, ended, travelled


@dataclass(frozen=True, kw_only=True)
class PortEvidence(CheckEvidence):
    """One port of one host, as the external client found it. `seen` and `answer_left` are the host's own capture's;
    `answered_by` says what kind of listener answered, `came_through_to` which tasks saw the request.
    """

    TOLD: ClassVar[frozenset[str]] = frozenset(
        {
            *("outcome", "responder", "detail", "left", "via", "sends"),
            *("seen", "answer_left", "lost_records", "controls"),
        }
    )

    outcome: str
    responder: str
    latency_ms: float | None
    left: bool | None
    via: str
    seen: bool | None
    answer_left: bool | None
    sends: int
    lost_records: int
    detail: str
    address: str
    mode: str
    port_inside: int
    answered_by: str
    came_through_to: tuple[str, ...]
    controls: tuple[Control, ...]

    def _told(self) -> Iterator[Told]:
        yield "outcome", "outcome", ended(self.outcome, self.responder, self.detail)
        yield from travelled(
            left=self.left,
            via=self.via,
            sends=self.sends,
            seen=self.seen,
            answer_left=self.answer_left,
            lost_records=self.lost_records,
        )

    def _control_texts(self) -> Iterable[str]:
        return (control.text for control in self.controls)


@dataclass(frozen=True, kw_only=True)
class MeshEvidence(CheckEvidence):
    """Many connections to one port of the routing mesh at one host: by task, how many it took."""

    MARK: ClassVar[str] = "connections"

    address: str
    connections: int
    unanswered: int
    answers_by: Mapping[str, int]
    answers_by_unknown: int
