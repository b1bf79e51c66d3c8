"""Evidence as words for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

EMPTY: tuple[object, ...] = (None, "", [], {}, ())
Row = tuple[str, str]  # a label, and its text
Told = tuple[str, str, str]  # the field without which it is not told, a label, and its text


def known(value: object) -> str:
    """Yes, no, or not known.

    >>> known(True), known(False), known(None)
    ('yes', 'no', 'not known')
    """
    if value is None:
        return "not known"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def flat(value: object) -> str:
    """Nested values on one line.

    >>> flat({"rx_packets": 3, "peers": ["a", "b"], "none": None})
    'rx packets 3; peers a, b'
    """
    if isinstance(value, Mapping):
        shown = [(key, item) for key, item in value.items() if item not in EMPTY]
        return "; ".join(f"{spaced(key)} {flat(item)}" for key, item in shown)
    return ", ".join(flat(item) for item in value) if isinstance(value, list | tuple) else known(value)


def spaced(name: object) -> str:
    """A name of the report as words.

    >>> spaced("timed_out")
    'timed out'
    """
    return str(name).replace("_", " ")


def ended(outcome: str, responder: str = "", detail: str = "") -> str:
    """How an exchange ended, and by whom.

    >>> ended("timed_out"), ended("answered", "db.1"), ended("send_error", detail="ENOBUFS")
    ('timed out', 'answered by db.1', 'send error (ENOBUFS)')
    """
    return f"{spaced(outcome)}{f' by {responder}' if responder else ''}{f' ({detail})' if detail else ''}"


def travelled(
    *,
    left: bool | None,
    asked: bool | None = None,
    via: str,
    sends: int,
    seen: bool | None,
    answer_left: bool | None,
    lost_records: int,
) -> Iterator[Told]:
    """How far a request and its answer came, in the order in which a packet meets it; see `model.evidence.Evidence`."""
    went = "only its question for a hardware address" if asked and not left else known(left)
    yield "left", "left", f"{went}{f' via {via}' if via else ''}{f', sent {sends} times' if sends else ''}"
    yield "seen", "arrived", f"{known(seen)}; answer left: {known(answer_left)}"
    if lost_records:
        yield "lost_records", "captures", f"dropped {lost_records} packets"
