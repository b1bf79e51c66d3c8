"""Text from files and hosts is not to be trusted: nothing of it may steer a terminal or break a document."""

from __future__ import annotations

import re

# CSI, OSC/DCS/PM/APC strings (with or without their end), then any other two-byte escape: ECMA-48 §5.4 and §5.6.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
# C0 (but tab and newline), DEL, C1; bidirectional overrides, which reorder what a reader sees; invisible joiners and
# BOM.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]|[\ud800-\udfff]|[\U000e0000-\U000e0fff]"
)
LONGEST = 4000  # characters: no honest line of a report is longer


def clean(text: object, limit: int = LONGEST) -> str:
    r"""The text without escape sequences and control characters; newlines stay, tabs become blanks.

    >>> clean("a\x1b[31mred\x1b[0m\x07 b\tc")
    'ared b c'
    """
    whole = str(text)
    cut = whole[:limit] + (" …" if len(whole) > limit else "")
    return _CONTROLS.sub("", _ESCAPES.sub("", cut.replace("\r\n", "\n"))).replace("\t", " ")


def line(text: object, limit: int = LONGEST) -> str:
    r"""Cleaned, and on one line.

    >>> line("one\n  two")
    'one two'
    """
    return " ".join(clean(text, limit).split())


def shorten(name: str, width: int) -> str:
    """At most `width` characters: the middle gives way, since names differ at their ends.

    >>> shorten("recommendation-service", 14)
    'recommen~rvice'
    """
    if len(name) <= width:
        return name
    tail = (width - 1) * 2 // 5
    return f"{name[: width - 1 - tail]}~{name[-tail:] if tail else ''}"


def shortened(names: list[str], width: int) -> dict[str, str]:
    """Every name cut to `width`; names that would look alike get their number in the list instead of their tail.

    >>> shortened(["queue-red-1", "queue-raw-1"], 7)
    {'queue-red-1': 'queu#1', 'queue-raw-1': 'queu#2'}
    """
    short = {name: shorten(line(name), width) for name in names}
    alike = list(short.values())
    for number, name in enumerate(names, 1):
        if alike.count(short[name]) > 1:
            short[name] = f"{line(name)[: width - len(str(number)) - 2]}#{number}"
    return short


def plural(count: int, noun: str) -> str:
    """A count and its noun.

    >>> plural(1, "check"), plural(2, "check")
    ('1 check', '2 checks')
    """
    return f"{count} {noun}" + ("" if count == 1 else "s")
