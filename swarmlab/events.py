"""What happens, as values. The core emits them; terminals, files and tests observe. The core itself never prints."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class PhaseStarted:
    """A phase of work begins; `name` is one word (hosts, swarm, stack, proof, …)."""

    name: str
    detail: str = ""


@dataclass(frozen=True)
class PhaseProgress:
    """Inside a phase: `text` replaces the last one; `total` 0 means that it is not known."""

    name: str
    text: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class PhaseEnded:
    """A phase is over after `seconds`; `ok` is False when an error ended it."""

    name: str
    seconds: float
    ok: bool = True


@dataclass(frozen=True)
class Said:
    """One line that a user should see; `level` is info or warning."""

    text: str
    level: str = "info"


Event = PhaseStarted | PhaseProgress | PhaseEnded | Said


class Observer(Protocol):
    """Anything that wants to know what happens."""

    def notify(self, event: Event) -> None:
        """Called for each event, in order, and in the thread in which it happens."""
        ...


@dataclass
class Bus:
    """Hands each event to every observer and keeps the seconds that each phase took."""

    observers: list[Observer] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic

    def emit(self, event: Event) -> None:
        """Tell every observer, in the order in which they came."""
        if isinstance(event, PhaseEnded):
            self.timings[event.name] = self.timings.get(event.name, 0.0) + event.seconds
        for observer in self.observers:
            observer.notify(event)

    def info(self, text: str) -> None:
        """Say one line."""
        self.emit(Said(text))

    def warn(self, text: str) -> None:
        """Say one line that should not be missed."""
        self.emit(Said(text, "warning"))

    @contextmanager
    def phase(self, name: str, detail: str = "") -> Iterator[Phase]:
        """Time a phase: `with bus.phase("swarm") as phase: phase("host2 joined", 2, 3)`."""
        self.emit(PhaseStarted(name, detail))
        start = self.clock()
        ok = False
        try:
            yield Phase(self, name)
            ok = True
        finally:
            self.emit(PhaseEnded(name, self.clock() - start, ok))


@dataclass(frozen=True)
class Phase:
    """Handed out by `Bus.phase`: call it to report progress inside the phase."""

    bus: Bus
    name: str

    def __call__(self, text: str, done: int = 0, total: int = 0) -> None:
        self.bus.emit(PhaseProgress(self.name, text, done, total))
