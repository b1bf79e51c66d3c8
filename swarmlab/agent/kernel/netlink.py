"""As much netlink as we need: one request, its replies, and attributes. Replies come from the kernel, yet are
bounded.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator

ROUTE, XFRM, GENERIC = 0, 6, 16
REQUEST, ACK, CREATE, DUMP = 0x1, 0x4, 0x400, 0x300
_ERROR, _DONE = 2, 3
_HEADER = struct.Struct("=IHHII")
_REPLIES_MAX = 10_000
_SIZES: dict[int, int] = {socket.AF_INET: 4, socket.AF_INET6: 16}


def attribute(kind: int, data: bytes) -> bytes:
    """One attribute, padded to four bytes."""
    return struct.pack("=HH", len(data) + 4, kind) + data + b"\0" * (-len(data) % 4)


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(kind, value) of each; stops at the first that does not fit."""
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4 or length > len(data):
            return
        yield kind & 0x3FFF, data[4:length]
        data = data[(length + 3) & ~3 :]


def ask(family: int, kind: int, flags: int, body: bytes) -> list[tuple[int, bytes]]:
    """Send one request, return (type, body) of the replies up to the acknowledgement. Raises OSError as the kernel
    refuses.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family) as sock:
        sock.settimeout(2.0)
        sock.bind((0, 0))
        sock.send(_HEADER.pack(_HEADER.size + len(body), kind, REQUEST | flags, 1, 0) + body)
        replies: list[tuple[int, bytes]] = []
        while len(replies) < _REPLIES_MAX:
            if _take(sock.recv(65536), replies):
                break
    return replies


def _take(data: bytes, replies: list[tuple[int, bytes]]) -> bool:
    """True when that was the last of it."""
    while len(data) >= _HEADER.size:
        length, kind, _flags, _sequence, _port = _HEADER.unpack_from(data)
        if length < _HEADER.size:
            return True
        body = data[_HEADER.size : length]
        if kind == _ERROR:
            number = -struct.unpack_from("=i", body)[0]
            if number:
                raise OSError(number, os.strerror(number))
        if kind in (_ERROR, _DONE):
            return True
        replies.append((kind, body))
        data = data[(length + 3) & ~3 :]
    return False


def interfaces() -> dict[str, tuple[str, ...]]:
    """Interface name -> addresses with prefix lengths, of the namespace that we are in; loopback left out."""
    names = dict(socket.if_nameindex())
    found: dict[str, list[str]] = {name: [] for name in names.values() if name != "lo"}
    for _kind, body in ask(ROUTE, 22, DUMP | ACK, struct.pack("=BBBBI", 0, 0, 0, 0, 0)):  # RTM_GETADDR
        if len(body) < 8:
            continue
        family, prefix, _flags, _scope, index = struct.unpack_from("=BBBBI", body)
        values = dict(attributes(body[8:]))
        raw = values.get(2) or values.get(1) or b""  # IFA_LOCAL, else IFA_ADDRESS
        name = names.get(index, "")
        if name in found and len(raw) == _SIZES.get(family):
            found[name].append(f"{socket.inet_ntop(family, raw)}/{prefix}")
    return {name: tuple(addresses) for name, addresses in found.items()}
