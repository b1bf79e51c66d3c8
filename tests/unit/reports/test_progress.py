"""Progress: one plain line per phase in a log, a live line on a terminal, and a terminal that stays usable."""

from __future__ import annotations

import io

import pytest

from swarmlab.events import Bus, PhaseEnded, PhaseProgress, PhaseStarted, Said
from swarmlab.reports.progress import Progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Time that passes only when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def ordinary_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_a_log_gets_one_line_per_phase() -> None:
    stream, clock = io.StringIO(), Clock()
    with Progress(stream, clock=clock) as progress:
        bus = Bus([progress], clock=clock)
        with bus.phase("hosts", "3 hosts") as phase:
            phase("host1 ready", 1, 3)
            clock.now = 2.5
            phase("all ready", 3, 3)
        bus.warn("kernel lacks ip_vs")
        with pytest.raises(ValueError, match="x"), bus.phase("swarm"):
            raise ValueError("x")
    assert stream.getvalue().splitlines() == [
        "hosts       2.5 s  all ready 3/3",
        "warning: kernel lacks ip_vs",
        "swarm       0.0 s  failed:",
    ]


def test_a_slow_phase_says_what_it_waits_for() -> None:
    stream, clock = io.StringIO(), Clock()
    with Progress(stream, clock=clock) as progress:
        progress.notify(PhaseStarted("stack"))
        for clock.now in (1.0, 6.0, 7.0, 12.0):
            progress.notify(PhaseProgress("stack", "tasks run", int(clock.now), 20))
    assert stream.getvalue().splitlines() == ["stack     …      tasks run 6/20", "stack     …      tasks run 12/20"]


def test_a_terminal_never_loses_its_cursor() -> None:
    stream = Terminal()
    with pytest.raises(KeyboardInterrupt), Progress(stream) as progress:
        progress.notify(PhaseStarted("hosts", "3 hosts"))
        raise KeyboardInterrupt
    assert "hosts" in stream.getvalue()
    assert "\x1b[?25l" not in stream.getvalue()


@pytest.mark.parametrize(("name", "value"), [("TERM", "dumb"), ("CI", "true")])
def test_no_live_line_where_it_would_be_noise(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    stream = Terminal()
    with Progress(stream) as progress:
        progress.notify(PhaseStarted("hosts", "3 hosts"))
    assert stream.getvalue() == ""


def test_forced_colour_does_not_make_a_pipe_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    stream = io.StringIO()
    with Progress(stream) as progress:
        progress.notify(PhaseStarted("hosts"))
    assert stream.getvalue() == ""


def test_no_colour_when_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    with Progress(stream) as progress:
        progress.notify(Said("careful", "warning"))
    assert stream.getvalue() == "warning: careful\n"


def test_hosts_cannot_steer_the_terminal() -> None:
    stream = Terminal()
    with Progress(stream) as progress:
        progress.notify(PhaseStarted("hosts", "[bold]\x1b[2J"))
        progress.notify(Said("[/] \x1b]0;owned\x07 \x1b[2Jx"))
        progress.notify(PhaseEnded("hosts", 1.0))
    assert "\x1b[2J" not in stream.getvalue()
    assert "owned" not in stream.getvalue()
    assert "[/] x" in stream.getvalue()


def test_a_reader_who_went_away_does_not_end_the_run() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with Progress(Gone()) as progress:
        progress.notify(PhaseStarted("hosts"))
        progress.notify(PhaseEnded("hosts", 1.0))
        progress.notify(Said("still there"))
