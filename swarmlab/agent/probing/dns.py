"""A minimal DNS message: one question for A records, and an answer that is read with suspicion."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

A, IN = 1, 1
_RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")
_JUMPS_MAX = 16
_NAME_MAX = 255
_RECORDS_MAX = 1024


class Malformed(ValueError):
    """Not a DNS message that we understand, or not a name."""


@dataclass(frozen=True)
class Reply:
    """What an answer says; `truncated` means that TCP has the rest."""

    rcode: str
    addresses: tuple[str, ...]
    truncated: bool


def question(ident: int, name: str) -> bytes:
    """A query for `name` exactly as given (no search list); raises `Malformed` when it is no name."""
    return struct.pack("!6H", ident, 0x0100, 1, 0, 0, 0) + _encoded(name) + struct.pack("!HH", A, IN)


def _encoded(name: str) -> bytes:
    labels = [label.encode() for label in (name[:-1] if name.endswith(".") else name).split(".")]
    if not all(1 <= len(label) <= 63 for label in labels):
        raise Malformed(f"{name!r} is not a DNS name: a label is empty or longer than 63 bytes")
    encoded = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    if len(encoded) > _NAME_MAX:
        raise Malformed(f"{name[:60]!r}… is not a DNS name: longer than 255 bytes")
    return encoded


def read(data: bytes, idents: frozenset[int], name: str) -> Reply | None:
    """The answer to one of our questions, or None when it is anything else. Never raises."""
    try:
        ident, flags, questions, answers = struct.unpack_from("!4H", data)
        if ident not in idents or not flags & 0x8000 or flags & 0x7800 or questions != 1:
            return None
        asked, place = _name(data, 12)
        if asked.lower() != _encoded(name).lower() or struct.unpack_from("!HH", data, place) != (A, IN):
            return None
        return Reply(_rcode(flags & 15), _addresses(data, place + 4, answers), bool(flags & 0x0200))
    except (Malformed, struct.error, IndexError):
        return None


def _rcode(number: int) -> str:
    return _RCODES[number] if number < len(_RCODES) else f"RCODE{number}"


def _name(data: bytes, place: int) -> tuple[bytes, int]:
    """The name at `place`, uncompressed, and where what follows it begins. Pointers may only go back, and not for
    ever.
    """
    out, after, jumps = b"", 0, 0
    while True:
        length = data[place]
        if length >= 0xC0:
            target = struct.unpack_from("!H", data, place)[0] & 0x3FFF
            after, jumps = after or place + 2, jumps + 1
            if target >= place or jumps > _JUMPS_MAX:
                raise Malformed("compression loop")
            place = target
            continue
        out += data[place : place + 1 + length]
        place += 1 + length
        if length > 63 or len(out) > _NAME_MAX or place > len(data):
            raise Malformed("label out of bounds")
        if length == 0:
            return out, after or place


def _addresses(data: bytes, place: int, count: int) -> tuple[str, ...]:
    """Every A record of the answer section, whoever owns it (CNAMEs), in the order given."""
    found: list[str] = []
    for _ in range(min(count, _RECORDS_MAX)):
        if place >= len(data):
            break  # cut short: what there is counts
        _, place = _name(data, place)
        kind, family, _ttl, length = struct.unpack_from("!HHIH", data, place)
        value = data[place + 10 : place + 10 + length]
        place += 10 + length
        if (kind, family, len(value)) == (A, IN, 4):
            found.append(socket.inet_ntoa(value))
    return tuple(found)
