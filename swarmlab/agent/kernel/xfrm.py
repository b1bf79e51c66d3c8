"""The kernel's IPsec associations and policies, by netlink. Keys are in what the kernel answers: they are never taken
out of it.
"""

from __future__ import annotations

import socket
import struct

from swarmlab.agent.kernel import netlink

_GETSA, _GETPOLICY, _DUMP = 0x12, 0x15, netlink.DUMP
_TMPL, _MARK = 5, 21
_MOST = 2_000
_ESP = 50
_DIRECTIONS = {0: "in", 1: "out", 2: "fwd"}
_STATISTICS = "/proc/net/xfrm_stat"


def states() -> list[dict[str, object]]:
    """Every ESP association: addresses, SPI, reqid, and how many bytes and packets went through it."""
    return [entry for _kind, body in netlink.ask(netlink.XFRM, _GETSA, _DUMP, b"")[:_MOST] if (entry := state(body))]


def state(body: bytes) -> dict[str, object] | None:
    """One struct xfrm_usersa_info; None for what is no ESP."""
    if len(body) < 224 or body[76] != _ESP:
        return None
    family = struct.unpack_from("=H", body, 212)[0]
    amount, packets = struct.unpack_from("=QQ", body, 160)
    return {
        "src": _address(body[80:96], family),
        "dst": _address(body[56:72], family),
        "spi": struct.unpack_from("!I", body, 72)[0],
        "reqid": struct.unpack_from("=I", body, 208)[0],
        "bytes": amount,
        "packets": packets,
    }


def policies() -> list[dict[str, object]]:
    """Every policy that leads to ESP: whom it selects, by which mark and port, and by which SPI it sends."""
    return [
        entry for _kind, body in netlink.ask(netlink.XFRM, _GETPOLICY, _DUMP, b"")[:_MOST] if (entry := policy(body))
    ]


def policy(body: bytes) -> dict[str, object] | None:
    """One struct xfrm_userpolicy_info with its template; None for what does not lead to ESP."""
    if len(body) < 168:
        return None
    values = dict(netlink.attributes(body[168:]))
    template, mark = values.get(_TMPL, b""), values.get(_MARK, b"")
    if len(template) < 64 or template[20] != _ESP:
        return None
    family = struct.unpack_from("=H", body, 40)[0]
    return {
        "src": _address(body[16:32], family),
        "dst": _address(body[0:16], family),
        "dport": struct.unpack_from("!H", body, 32)[0],
        "protocol": body[44],
        "direction": _DIRECTIONS.get(body[160], str(body[160])),
        "mark": struct.unpack_from("=I", mark)[0] if len(mark) >= 4 else 0,
        "spi": struct.unpack_from("!I", template, 16)[0],
        "reqid": struct.unpack_from("=I", template, 44)[0],
    }


def _address(raw: bytes, family: int) -> str:
    return socket.inet_ntop(socket.AF_INET6, raw) if family == socket.AF_INET6 else socket.inet_ntoa(raw[:4])


def statistics() -> dict[str, int]:
    """Why the kernel refused packets to or from IPsec, those counters that are not 0; {} where it does not count."""
    try:
        with open(_STATISTICS, encoding="ascii", errors="replace") as file:
            rows = [line.split() for line in file.read(65536).splitlines()]
    except OSError:
        return {}
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit() and row[1] != "0"}
