"""From a path to text: regular files only, of bounded size, in UTF-8; and from positions in text to places."""

from __future__ import annotations

import os
import re
import stat
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from swarmlab.errors import FileRejected, Place
from swarmlab.scenario.complaints import Complaints, printable
from swarmlab.scenario.names import MAX_BYTES

# Around what a template expression yielded; from Unicode's private use area, and refused in input.
OPEN, CLOSE = "\ue000", "\ue001"
LINE_OPEN, LINE_CLOSE = "\ue002", "\ue003"
PRIVATE = re.compile("[\ue000-\ue003]")
BREAKS = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # as PyYAML counts lines


def shown(file: Path) -> str:
    """A path as messages show it: relative if it lies below the current directory."""
    name = os.path.relpath(file) if file.is_absolute() and file.is_relative_to(Path.cwd()) else str(file)
    return printable(name)


def read_text(file: Path, complaints: Complaints) -> str:
    """What the file says; complains (and raises) if it is missing, special, too large or not UTF-8."""
    try:
        data = _bounded(file, complaints)
    except FileRejected:
        raise
    except FileNotFoundError:
        raise complaints.fail(None, "no such file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise complaints.fail(None, f"cannot be read: {printable(reason)}") from None
    return _decoded(data, complaints)


def _bounded(file: Path, complaints: Complaints) -> bytes:
    """The file's bytes: neither a device nor a huge file is ever opened, and a growing one is not followed."""
    status = file.stat()
    if not stat.S_ISREG(status.st_mode):
        raise complaints.fail(None, "not a regular file")
    if status.st_size > MAX_BYTES:
        raise complaints.fail(None, f"{status.st_size} bytes is too large for a scenario; the limit is {MAX_BYTES}")
    with file.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise complaints.fail(None, f"too large for a scenario; the limit is {MAX_BYTES} bytes")
    return data


def _decoded(data: bytes, complaints: Complaints) -> str:
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        place = Source(complaints.file, before).at(len(before))
        raise complaints.fail(place, f"not UTF-8: byte 0x{data[error.start]:02x} (save the file as UTF-8)") from None


@dataclass(frozen=True)
class Source:
    """Text to be parsed, and where each of its lines stands in the file (`lines`, empty if it is the file itself)."""

    file: str
    text: str
    lines: tuple[int, ...] = field(default=())

    @cached_property
    def _signs(self) -> list[list[int]]:
        """For each row, the columns of the signs in it."""
        return [[match.start() for match in PRIVATE.finditer(row)] for row in BREAKS.split(self.text)]

    def place(self, line: int, column: int) -> Place:
        """The place of a position that counts from 0; the signs around template values do not count."""
        hidden = bisect_left(self._signs[line], column) if line < len(self._signs) else 0
        number = self.lines[line] if line < len(self.lines) else line + 1
        return Place(self.file, number, column - hidden + 1)

    def at(self, offset: int) -> Place:
        """The place of a character counted from the start of the text."""
        rows = BREAKS.split(self.text[:offset])
        return self.place(len(rows) - 1, len(rows[-1]))
