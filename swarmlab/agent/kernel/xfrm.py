"""The kernel's IPsec associations and policies, by netlink. The kernel tells the keys too: they are not read."""

from __future__ import annotations

import socket
import struct

from swarmlab.agent.kernel import netlink
from swarmlab.agent.protocol.wire import XfrmPolicy, XfrmState

_GETSA, _GETPOLICY, _DUMP = 0x12, 0x15, netlink.DUMP
_TMPL, _MARK = 5, 21
_MOST = 2_000
_ESP = 50
_DIRECTIONS = {0: "in", 1: "out", 2: "fwd"}


def states() -> list[XfrmState]:
    """Every ESP association: addresses, SPI, reqid, and how many bytes and packets went through it."""
    return [found for _kind, body in netlink.ask(netlink.XFRM, _GETSA, _DUMP, b"")[:_MOST] if (found := state(body))]


def state(body: bytes) -> XfrmState | None:
    """One struct xfrm_usersa_info; None for what is no ESP."""
    if len(body) < 224 or body[76] != _ESP:
        return None
    family = struct.unpack_from("=H", body, 212)[0]
    amount, packets = struct.unpack_from("=QQ", body, 160)
    return XfrmState(
        _address(body[80:96], family),
        _address(body[56:72], family),
        struct.unpack_from("!I", body, 72)[0],
        struct.unpack_from("=I", body, 208)[0],
        amount,
        packets,
    )


def policies() -> list[XfrmPolicy]:
    """Every policy that leads to ESP: what it selects, by which mark and port, and by which SPI it sends."""
    return [
        found for _kind, body in netlink.ask(netlink.XFRM, _GETPOLICY, _DUMP, b"")[:_MOST] if (found := policy(body))
    ]


def policy(body: bytes) -> XfrmPolicy | None:
    """One struct xfrm_userpolicy_info with its template; None for what does not lead to ESP."""
    if len(body) < 168:
        return None
    values = dict(netlink.attributes(body[168:]))
    template, mark = values.get(_TMPL, b""), values.get(_MARK, b"")
    if len(template) < 64 or template[20] != _ESP:
        return None
    family = struct.unpack_from("=H", body, 40)[0]
    return XfrmPolicy(
        _address(body[16:32], family),
        _address(body[0:16], family),
        struct.unpack_from("!H", body, 32)[0],
        body[44],
        _DIRECTIONS.get(body[160], str(body[160])),
        struct.unpack_from("=I", mark)[0] if len(mark) >= 4 else 0,
        struct.unpack_from("!I", template, 16)[0],
        struct.unpack_from("=I", template, 44)[0],
    )


def _address(raw: bytes, family: int) -> str:
    return socket.inet_ntop(socket.AF_INET6, raw) if family == socket.AF_INET6 else socket.inet_ntoa(raw[:4])
