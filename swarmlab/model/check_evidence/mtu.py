"""Evidence of kind mtu."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from swarmlab.model.check_evidence.base import CheckEvidence
from swarmlab.model.check_evidence.control import proof
from swarmlab.model.check_evidence.words import Told, ended, flat
from swarmlab.model.plain import plain


@dataclass(frozen=True, kw_only=True)
class SizeEvidence(CheckEvidence):
    """Datagrams of several sizes: see `model.mtu.MtuEvidence`.

    `outer` is the size of the packet that carries a full-size one, `underlay` the largest that passes between the hosts
    themselves, `fragments_arrived` how many IPv4 fragments came to the target's host meanwhile.
    """

    TOLD: ClassVar[frozenset[str]] = frozenset({"responder", "detail"})  # the explanation has them where they matter

    error: str
    interface: str
    mtu: int
    small: bool
    full: bool
    largest: int
    exact: bool
    tries: int
    responder: str
    detail: str
    address: str
    outer: int | None
    underlay: int | None
    fragments_arrived: int | None


@dataclass(frozen=True)
class TransferControl:
    """A transfer of a few bytes."""

    proves: str
    outcome: str
    latency_ms: float | None

    @property
    def text(self) -> str:
        """On one line."""
        return proof(self.proves, "", self.outcome) if self.proves else flat(plain(self))


@dataclass(frozen=True, kw_only=True)
class NoTransferEvidence(CheckEvidence):
    """Why no transfer was tried."""

    MARK: ClassVar[str] = "controls"
    TOLD: ClassVar[frozenset[str]] = frozenset({"controls"})

    address: str
    error: str
    controls: tuple[TransferControl, ...]

    def _control_texts(self) -> Iterable[str]:
        return (control.text for control in self.controls)


@dataclass(frozen=True, kw_only=True)
class TransferEvidence(CheckEvidence):
    """One transfer: see `model.mtu.BulkEvidence`."""

    MARK: ClassVar[str] = "moved"
    TOLD: ClassVar[frozenset[str]] = frozenset({"outcome", "responder", "detail", "controls"})

    size: int
    responder: str
    moved: int
    ms: float | None
    idle_ms: float | None
    outcome: str
    detail: str
    address: str
    error: str
    controls: tuple[TransferControl, ...]

    def _told(self) -> Iterator[Told]:
        yield "outcome", "outcome", ended(self.outcome, self.responder, self.detail)

    def _control_texts(self) -> Iterable[str]:
        return (control.text for control in self.controls)
