"""One measuring command: progress while it works, the report when it is done, and also when it crashes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType

import click

from swarmlab.cli.outputs import Outputs
from swarmlab.errors import USAGE, SwarmlabError
from swarmlab.events import Bus
from swarmlab.model.report import Report


@dataclass
class Recorder:
    """Publishes what is known when the body ends early, whatever ended it; the error goes on as it was."""

    outputs: Outputs
    known: Report
    bus: Bus = field(default_factory=Bus)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or touched_nothing(error):
            return
        report = self._crashed(error)
        try:
            self.outputs.publish(report, table=bool(report.checks))
        except SwarmlabError as unwritten:
            click.echo(f"swarmlab: {unwritten}", err=True)

    def _crashed(self, error: BaseException) -> Report:
        known = getattr(error, "report", None)
        if isinstance(known, Report):
            return known if known.error else replace(known, error=text_of(error))
        return replace(self.known, error=text_of(error), timings=dict(self.bus.timings))


def touched_nothing(error: BaseException) -> bool:
    """Whether this is a usage error from before there was anything to report: then no report is written."""
    return (
        isinstance(error, SwarmlabError)
        and error.status == USAGE
        and not isinstance(getattr(error, "report", None), Report)
    )


def text_of(error: BaseException) -> str:
    """What a report says about the error that ended its run early."""
    if isinstance(error, SwarmlabError):
        return error.message
    return "interrupted" if isinstance(error, KeyboardInterrupt) else f"internal error: {type(error).__name__}: {error}"


def measure(
    work: Callable[[Bus], Report], outputs: Outputs, *, lab: str, scenario: str = "", provider: str = ""
) -> Report:
    """Do the work with progress shown, and return its report; when it crashes, publish what is known.

    The names are for a crash so early that nothing else is known.
    """
    from swarmlab.reports.progress import Progress

    outputs.check()
    known = Report(lab, scenario, provider, started=datetime.now(UTC).isoformat(timespec="seconds"))
    with Recorder(outputs, known) as recorder, Progress(sys.stderr) as progress:
        recorder.bus.observers.append(progress)
        return work(recorder.bus)
