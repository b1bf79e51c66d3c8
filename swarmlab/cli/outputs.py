"""Where a report goes: standard output, and files that exist even when the run crashed half-way."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from swarmlab.errors import SwarmlabError, UsageError
from swarmlab.model.report import Report


class NotWritten(SwarmlabError, OSError):
    """A report file could not be written."""


@dataclass(frozen=True)
class Outputs:
    """What the flags ask for. `files` maps a format (json, junit, html) to its file."""

    format: str
    files: Mapping[str, Path]

    @classmethod
    def of(cls, flags: Mapping[str, Any]) -> Outputs:
        """From a command's flags."""
        return cls(flags["format"], {name: flags[name] for name in WRITERS if flags.get(name)})

    def check(self) -> None:
        """Before anything is touched. Raises UsageError when a file could not be written in the end."""
        seen: dict[Path, str] = {}
        for name, path in self.files.items():
            problem = _problem(path)
            if problem:
                raise UsageError(f"--{name} {path}: {problem}")
            if path.resolve() in seen and (path.is_file() or not path.exists()):
                raise UsageError(f"--{name} {path}: --{seen[path.resolve()]} writes there already")
            seen[path.resolve()] = name

    def publish(self, report: Report, *, table: bool = True) -> None:
        """Files first, so that a reader of standard output who goes away loses nothing. `table` False leaves it out."""
        unwritten = [error for name, path in self.files.items() if (error := _attempt(path, WRITERS[name](report)))]
        if table:
            show(report, error=self.format == "json")
        if self.format == "json":
            click.echo(_json(report), nl=False)
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

    render(report, paper(error=error))


def paper(*, error: bool) -> Any:
    """Standard output or error, to print on."""
    from rich.console import Console

    class Paper(Console):
        def on_broken_pipe(self) -> None:
            raise  # rich would end us with status 1, which means "violated"

    return Paper(file=sys.stderr if error else sys.stdout, highlight=False)


def write(path: Path, text: str) -> None:
    """Whole or not at all, unless it is a device or a pipe. Raises NotWritten."""
    target = path.resolve()
    try:
        if target.exists() and not target.is_file():
            target.write_text(text, encoding="utf-8")
        else:
            _replace(target, text)
    except OSError as error:
        raise NotWritten(f"{path}: the report could not be written: {error.strerror}") from error


def _attempt(path: Path, text: str) -> NotWritten | None:
    """What went wrong, if anything: one file that cannot be written takes no other report with it."""
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


def _json(report: Report) -> str:
    from swarmlab.reports.as_json import dump

    return dump(report)


def _junit(report: Report) -> str:
    from swarmlab.reports.junit import to_xml

    return to_xml(report)


def _html(report: Report) -> str:
    from swarmlab.reports.html import to_html

    return to_html(report)


WRITERS: Mapping[str, Callable[[Report], str]] = {"json": _json, "junit": _junit, "html": _html}
