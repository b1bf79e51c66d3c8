"""Forged frames: VXLAN in clear, past our own kernel's packet filter and IPsec (AF_PACKET)."""

from __future__ import annotations

import contextlib
import secrets
import socket
import struct
from collections.abc import Callable

from swarmlab.agent.kernel import constants, netlink
from swarmlab.agent.kernel.checksum import checksum
from swarmlab.agent.protocol.wire import FrameSpec

_GETROUTE, _GETLINK, _GETNEIGH = 26, 18, 30
_DISCARD = 9  # a port that nobody answers on: a datagram there makes our kernel ask for the hardware address
_VNI_FLAG = 0x08000000


class NoRoute(OSError):
    """Where a frame would have to be sent is not known."""


def hardware() -> dict[str, str]:
    """Interface name -> hardware address, in the namespace that we are in."""
    found = {}
    for _kind, body in netlink.ask(netlink.ROUTE, _GETLINK, netlink.DUMP, struct.pack("=BxHiII", 0, 0, 0, 0, 0)):
        values = dict(netlink.attributes(body[16:]))
        name, address = values.get(3, b"").rstrip(b"\0").decode("utf-8", "replace"), values.get(1, b"")
        if name and len(address) == 6:
            found[name] = address.hex(":")
    return found


def send(frame: FrameSpec, wait: Callable[[], object]) -> None:
    """Put it on the underlay. `wait` passes a moment. Raises OSError, NoRoute among them."""
    index, gateway, source = _route(frame.peer)
    address = _neighbour(index, gateway or socket.inet_aton(frame.peer), frame.peer, wait)
    name = socket.if_indextoname(index)
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, 0) as sock:
        for _ in range(frame.times):
            sock.sendto(packet(frame, source), (name, constants.ETH_P_IP, 0, 0, address))


def packet(frame: FrameSpec, source: bytes) -> bytes:
    """The whole, from the outer IPv4 header on."""
    inner_from, inner_to = (socket.inet_aton(address) for address in (frame.from_address, frame.to_address))
    target, origin = (bytes.fromhex(text.replace(":", "")) for text in (frame.to_hardware, frame.from_hardware))
    datagram = _ip(inner_from, inner_to, _udp(frame.port, frame.payload.encode()))
    inner = target + origin + struct.pack("!H", constants.ETH_P_IP) + datagram
    vxlan = struct.pack("!II", _VNI_FLAG, frame.vni << 8)
    return _ip(source, socket.inet_aton(frame.peer), _udp(frame.data_port, vxlan + inner))


def _udp(port: int, body: bytes) -> bytes:
    """Without a checksum, as VXLAN does it over IPv4."""
    return struct.pack("!HHHH", 49152 + secrets.randbelow(16384), port, len(body) + 8, 0) + body


def _ip(source: bytes, target: bytes, body: bytes) -> bytes:
    def head(check: int) -> bytes:
        return struct.pack(
            "!BBHHHBBH4s4s", 0x45, 0, len(body) + 20, 0, 0, 64, socket.IPPROTO_UDP, check, source, target
        )

    return head(checksum(head(0))) + body


def _route(peer: str) -> tuple[int, bytes, bytes]:
    """Interface, gateway (b"" : none) and our own address for packets to `peer`. Raises NoRoute."""
    body = struct.pack("=BBBBBBBBI", socket.AF_INET, 32, 0, 0, 0, 0, 0, 0, 0) + netlink.attribute(
        1, socket.inet_aton(peer)
    )
    for _kind, answer in netlink.ask(netlink.ROUTE, _GETROUTE, netlink.ACK, body):
        values = dict(netlink.attributes(answer[12:]))
        if 4 in values and len(values.get(7, b"")) == 4:
            return struct.unpack("=i", values[4])[0], values.get(5, b""), values[7]
    raise NoRoute(f"there is no route to {peer}")


def _neighbour(index: int, gateway: bytes, peer: str, wait: Callable[[], object]) -> bytes:
    """The hardware address of the next hop, asked for if need be. Raises NoRoute."""
    for attempt in range(20):
        for _kind, body in netlink.ask(
            netlink.ROUTE, _GETNEIGH, netlink.DUMP, struct.pack("=BxxxiHBB", socket.AF_INET, 0, 0, 0, 0)
        ):
            values = dict(netlink.attributes(body[12:]))
            if (
                struct.unpack_from("=i", body, 4)[0] == index
                and values.get(1) == gateway
                and len(values.get(2, b"")) == 6
            ):
                return values[2]
        if attempt == 0:
            with (
                contextlib.suppress(OSError),
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock,
            ):
                sock.sendto(b"", (peer, _DISCARD))
        wait()
    raise NoRoute(f"the hardware address of {socket.inet_ntoa(gateway)} is not known")
