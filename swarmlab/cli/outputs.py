"""Where a report goes: standard output, and files that exist even when the run crashed half-way."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from swarmlab.errors import SwarmlabError, UsageError
from swarmlab.model.report import Report
from swarmlab.reports import formats

NAMES = tuple(row.name for row in formats.FORMATS)


class NotWritten(SwarmlabError, OSError):
    """A report file could not be written."""


@dataclass(frozen=True)
class Outputs:
    """What the flags ask for: `format` for standard output; `files` maps the name of a format to its file."""

    format: str
    files: Mapping[str, Path]

    @classmethod
    def of(cls, flags: Mapping[str, Any]) -> Outputs:
        """From a command's flags."""
        return cls(flags["format"], {name: flags[name] for name in NAMES if flags.get(name)})

    @property
    def printed(self) -> bool:
        """Whether standard output gets a document for programs; then people read standard error."""
        return self.format != formats.TABLE

    def check(self) -> None:
        """Raise UsageError if a file could not be written in the end; to be called before anything is touched."""
        seen: dict[Path, str] = {}
        for name, path in self.files.items():
            problem = _problem(path)
            if problem:
                raise UsageError(f"--{name} {path}: {problem}")
            if path.resolve() in seen and (path.is_file() or not path.exists()):
                raise UsageError(f"--{name} {path}: --{seen[path.resolve()]} writes there already")
            seen[path.resolve()] = name

    def publish(self, report: Report, *, table: bool = True) -> None:
        """Write the files, then standard output; `table` False leaves the table for people out.

        Files come first, so that nothing is lost when the reader of standard output goes away. Raises NotWritten.
        """
        unwritten = [
            error for name, path in self.files.items() if (error := _attempt(path, formats.text(name, report)))
        ]
        if table:
            show(report, error=self.printed)
        if self.printed:
            click.echo(formats.text(self.format, report), nl=False)
        if unwritten:
            raise NotWritten("\n".join(map(str, unwritten)))


def _problem(path: Path) -> str:
    parent = path.resolve().parent
    if path.is_dir():
        return "is a directory; expected a file"
    if not parent.is_dir():
        return f"directory {parent} does not exist; make it first"
    return "" if os.access(parent if not path.exists() else path, os.W_OK) else "cannot be written by this user"


def show(report: Report, *, error: bool = False) -> None:
    """The report for a person, on standard output or error."""
    from swarmlab.reports.console import render

    render(report, console(error=error))


def console(*, error: bool) -> Any:
    """A rich console on standard output, or on standard error."""
    from rich.console import Console

    class Quiet(Console):
        def on_broken_pipe(self) -> None:
            raise  # rich would end us with status 1, which means "violated"

    return Quiet(file=sys.stderr if error else sys.stdout, highlight=False)


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all, unless it is a device or a pipe. Raises NotWritten."""
    target = path.resolve()
    try:
        if target.exists() and not target.is_file():
            target.write_text(text, encoding="utf-8")
        else:
            _replace(target, text)
    except OSError as error:
        raise NotWritten(f"{path}: the report could not be written: {error.strerror}") from error


def _attempt(path: Path, text: str) -> NotWritten | None:
    """Write it and return what went wrong, if anything: the other files must be written all the same."""
    try:
        write(path, text)
    except NotWritten as error:
        return error
    return None


def _replace(target: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        # mkstemp's 0600 would hide it from the CI step that collects it.
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    current = os.umask(0o077)  # it can only be read by setting it
    os.umask(current)
    return current
