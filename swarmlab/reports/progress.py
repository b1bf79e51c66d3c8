"""What happens, on a terminal: one live line while it works, one line per phase when it is done. Always on standard
error.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.text import Text

from swarmlab.events import Event, PhaseEnded, PhaseProgress, PhaseStarted, Said
from swarmlab.reports.text import line

SLOW = 5.0  # seconds of silence after which a plain log says what it is waiting for


class _Terminal(Console):
    """A console that never hides the cursor: whoever kills us, the terminal stays usable."""

    def show_cursor(self, show: bool = True) -> bool:
        return False

    def on_broken_pipe(self) -> None:
        raise  # rich would end the program, in the middle of its work


@dataclass
class _Running:
    """A phase that has begun and not ended."""

    name: str
    text: str


class Progress:
    """Observes a run; use as a context manager so that the live line is gone whatever happens."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = _Terminal(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)
        # Not console.is_terminal: FORCE_COLOR makes that true for pipes, where a live line is only noise.
        self._live = stream.isatty() and not self._console.is_dumb_terminal and "CI" not in os.environ
        self._status: Status | None = None
        self._running: list[_Running] = []
        self._clock = clock
        self._said = clock()
        self._closed = False
        self._lock = threading.RLock()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the live line away; may be called again."""
        with self._lock, self._whoever_listens():
            self._running.clear()
            self._show()

    def notify(self, event: Event) -> None:
        """Show one event; hosts answer in threads of their own, so one at a time."""
        with self._lock, self._whoever_listens():
            if isinstance(event, PhaseStarted):
                self._started(event)
            elif isinstance(event, PhaseProgress):
                self._progressed(event)
            elif isinstance(event, PhaseEnded):
                self._ended(event)
            else:
                self._line(line(event.text), "yellow" if event.level == "warning" else "", prefix=_prefix(event))

    @contextmanager
    def _whoever_listens(self) -> Iterator[None]:
        """A closed terminal or pipe must not end a run half-way: from then on nothing is shown."""
        if self._closed:
            yield
            return
        try:
            yield
        except OSError:
            self._closed = True

    def _started(self, event: PhaseStarted) -> None:
        self._running.append(_Running(event.name, line(event.detail, 300)))
        self._show()

    def _progressed(self, event: PhaseProgress) -> None:
        running = next((phase for phase in reversed(self._running) if phase.name == event.name), None)
        if running is None:
            return
        count = f" {event.done}/{event.total}" if event.total else ""
        running.text = line(event.text, 300) + count
        self._show()
        if not self._live and self._clock() - self._said >= SLOW:
            self._line(f"{line(event.name, 40):<8}  …      {running.text}")

    def _ended(self, event: PhaseEnded) -> None:
        ended = next((phase for phase in reversed(self._running) if phase.name == event.name), None)
        text = ended.text if ended else ""
        if ended:
            self._running.remove(ended)
        self._show()
        style = "" if event.ok else "bold red"
        self._line(
            f"{line(event.name, 40):<8} {event.seconds:6.1f} s  {'' if event.ok else 'failed: '}{text}".rstrip(), style
        )

    def _line(self, text: str, style: str = "", prefix: str = "") -> None:
        self._said = self._clock()
        if self._closed:
            return
        self._console.print(Text(prefix + text, style))

    def _show(self) -> None:
        """Bring the live line in agreement with the innermost phase."""
        if not self._live or self._closed:
            return
        if not self._running:
            if self._status:
                self._status.stop()
                self._status = None
            return
        phase = self._running[-1]
        room = max(self._console.width - 4, 20)
        text = escape(f"{line(phase.name, 40)}  {phase.text}"[:room])
        if self._status is None:
            self._status = Status(text, console=self._console, spinner="line")
            self._status.start()
        else:
            self._status.update(text)


def _prefix(event: Said) -> str:
    return "warning: " if event.level == "warning" else ""
