"""The kernel's neighbour table: when it overflows, requests vanish without a word, and that must not read as
"blocked".
"""

from __future__ import annotations

_STATISTICS = "/proc/net/stat/arp_cache"


def overflows() -> int | None:
    """How often the table was full since boot; None in namespaces other than the first one, which cannot tell."""
    try:
        with open(_STATISTICS, encoding="ascii", errors="replace") as file:
            return parse(file.read(256 * 1024))
    except OSError:
        return None


def parse(text: str) -> int | None:
    """The sum of column `table_fulls`, one hexadecimal row per processor.

    >>> parse("entries  table_fulls\\n0000003c  0000000a\\n0000003c  00000001\\n")
    11
    """
    head, *rows = [line.split() for line in text.splitlines()] or [[]]
    if "table_fulls" not in head:
        return None
    column = head.index("table_fulls")
    try:
        return sum(int(row[column], 16) for row in rows if len(row) > column)
    except ValueError:
        return None
