"""One error root. Each error says what is wrong, where and what to do, and has the exit status that it leads to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

OK = 0
VIOLATED = 1
USAGE = 2
UNBUILDABLE = 3
UNPROVEN = 4
INTERRUPTED = 130


@dataclass(frozen=True, order=True)
class Place:
    """A place in a file; line and column count from 1, as editors show them.

    >>> str(Place("compose.yaml", 3, 5))
    'compose.yaml:3:5'
    """

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class SwarmlabError(Exception):
    """Anything a user can be told; `fix` is what to do about it, "" when the message says it already."""

    status = UNBUILDABLE

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message}\n  fix: {self.fix}" if self.fix else self.message


class UsageError(SwarmlabError, ValueError):
    """The command line asks for something that does not exist or does not fit together."""

    status = USAGE


class FileRejected(SwarmlabError, ValueError):
    """A file that cannot be accepted: every complaint with its place. Nothing was touched."""

    status = USAGE

    def __init__(self, complaints: list[tuple[Place | None, str]], *, file: Path | str) -> None:
        self.complaints = complaints
        lines = [f"{place or file}: {text}" for place, text in complaints]
        super().__init__("\n".join(lines))


class LabBusy(SwarmlabError, BlockingIOError):
    """Another swarmlab works on this lab."""


class LabUnknown(UsageError, KeyError):
    """No lab of that name; the message lists the ones there are."""

    def __str__(self) -> str:  # KeyError would show the repr
        return SwarmlabError.__str__(self)


class HostError(SwarmlabError, ConnectionError):
    """A host cannot be reached, refuses, or answers what it should not."""

    def __init__(self, host: str, message: str, *, fix: str = "") -> None:
        super().__init__(f"{host}: {message}", fix=fix)
        self.host = host


class HostsError(HostError):
    """Several hosts failed at once; each with its own reason."""

    def __init__(self, failures: dict[str, SwarmlabError]) -> None:
        self.failures = failures
        SwarmlabError.__init__(self, "\n".join(str(error) for error in failures.values()))
        self.host = ", ".join(failures)


class CommandFailed(HostError):
    """A command on a host ended with a status other than 0."""

    def __init__(self, host: str, command: str, exit_status: int, stderr: str, *, fix: str = "") -> None:
        last = "\n".join(stderr.strip().splitlines()[-12:])
        super().__init__(host, f"`{command}` ended with status {exit_status}: {last or 'it said nothing'}", fix=fix)
        self.exit_status = exit_status


class DeadlinePassed(SwarmlabError, TimeoutError):
    """A named condition did not hold in time; the message has the state last seen."""


class ProviderError(SwarmlabError, OSError):
    """Hosts cannot be made, found or removed."""


class SwarmRefused(SwarmlabError, PermissionError):
    """A Swarm, stack or network that we did not make is in the way, and is left alone."""


class StackFailed(SwarmlabError, RuntimeError):
    """The stack cannot be deployed, or its tasks do not run; the message has the tasks' own errors."""


class RunFailed(SwarmlabError):
    """A run ended early. `report` is what is known all the same, so that JSON and JUnit files can exist."""

    def __init__(self, cause: SwarmlabError, report: object | None) -> None:
        super().__init__(cause.message, fix=cause.fix)
        self.status = cause.status
        self.cause = cause
        self.report = report
