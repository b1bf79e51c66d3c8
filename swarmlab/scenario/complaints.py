"""Collects everything that is wrong with a file, each with its place, so that a user mends it once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from swarmlab.errors import FileRejected, Place

MAX_COMPLAINTS = 50  # that are shown
ENOUGH = 500  # to stop reading


def printable(text: str) -> str:
    """Text from outside, made safe for a terminal: control characters are shown as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def quoted(text: str, limit: int = 60) -> str:
    """Text from outside, in quotes, shortened.

    >>> quoted("a" * 80, 5)
    '"aaaaa…"'
    """
    return f'"{printable(text[:limit])}{"…" if len(text) > limit else ""}"'


def listed(names: Iterable[str], limit: int = 20) -> str:
    """Names for the end of a message, sorted; "none" if there are none."""
    ordered = sorted(names)
    more = f", … ({len(ordered)} in all)" if len(ordered) > limit else ""
    return (", ".join(printable(name[:60]) for name in ordered[:limit]) + more) or "none"


def unknown(what: str, name: str, known: Iterable[str], label: str = "known") -> str:
    """The message for a name that does not exist.

    >>> unknown("network", "bak", ["back", "front"])
    'unknown network "bak": did you mean "back"? (known: back, front)'
    """
    names = list(known)
    near = difflib.get_close_matches(name[:100], [n[:100] for n in names[:500]], n=1)
    hint = f": did you mean {quoted(near[0])}?" if near else ""
    return f"unknown {what} {quoted(name)}{hint} ({label}: {listed(names)})"


@dataclass
class Complaints:
    """All complaints about one file; `file` is its name as it is shown."""

    file: str
    items: list[tuple[Place | None, str]] = field(default_factory=list)

    def add(self, place: Place | None, text: str) -> None:
        """Note one; a second one about the same place is usually a consequence of the first, so it is left out."""
        if place is None or all(place != known for known, _ in self.items):
            self.items.append((place, printable(text)))
        if len(self.items) >= ENOUGH:
            self.check()

    def check(self) -> None:
        """Raise FileRejected if there is any, in the order of the file."""
        if not self.items:
            return
        ordered = sorted(self.items, key=lambda item: (item[0] is not None, item[0] or Place("", 0, 0)))
        cut = ordered[:MAX_COMPLAINTS]
        if len(ordered) > len(cut):
            cut.append((None, f"and {len(ordered) - len(cut)} more"))
        raise FileRejected(cut, file=self.file)

    def fail(self, place: Place | None, text: str) -> FileRejected:
        """The error to raise, with this complaint and all earlier ones, where nothing more can be read."""
        return FileRejected([*self.items, (place, printable(text))], file=self.file)
