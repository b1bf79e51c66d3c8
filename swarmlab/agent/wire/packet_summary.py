"""What was on the wire, reduced as it passes: how many packets of each kind, which way; canaries that were in clear."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from swarmlab.agent.kernel import bpf, constants
from swarmlab.agent.protocol.bounds import TOKEN

SNAP = 512  # bytes of each packet: the headers of two layers, and a whole request with its canary
MOST_KINDS = 4_096  # distinct (direction, addresses, kind, number); packets beyond them are counted together
MOST_HITS = 512
_ESP, _UDP, _IPV6_FRAGMENT = 50, int(socket.IPPROTO_UDP), 44
_RECORD = struct.Struct("=I8xII6xH22x2siHBB8s")  # of struct tpacket3_hdr, and struct sockaddr_ll behind it
_IP = struct.Struct("!BxHxxHxBxx4s4sHH4xII")  # an IPv4 header without options, and sixteen bytes behind it
_EXCERPT = (96, 200)  # characters before and after the beginning of the canary
_UNPRINTABLE = re.compile(rb"[^\x20-\x7e\r\n]")

Key = tuple[int, bool, bytes, bytes, str, int]  # interface, outgoing, from, to, kind, number (SPI, VNI, protocol)


def everything_but_tcp() -> list[bpf.Step]:
    """ESP, VXLAN on whatever port, fragments, other tunnels. TCP carries no overlay's frame, and would swamp the
    ring.
    """
    return [
        bpf.Step(bpf.LD_WORD_ABS, bpf.ETHERTYPE),
        bpf.Step(bpf.EQUAL, constants.ETH_P_IPV6, yes="v6"),
        bpf.Step(bpf.EQUAL, constants.ETH_P_IP, no="drop"),
        bpf.Step(bpf.LD_BYTE_ABS, 9),
        bpf.Step(bpf.EQUAL, socket.IPPROTO_TCP, yes="drop", no="keep"),
        bpf.Step(bpf.LD_BYTE_ABS, 6, label="v6"),
        bpf.Step(bpf.EQUAL, socket.IPPROTO_TCP, yes="drop", no="keep"),
        bpf.Step(bpf.RETURN, 0, label="drop"),
        bpf.Step(bpf.RETURN, SNAP, label="keep"),
    ]


@dataclass
class CanaryHit:
    """A canary that was read in clear in packets of one kind; `excerpt` is what else could be read there."""

    canary: str
    key: Key
    packets: int
    excerpt: str


class PacketSummary:
    """Bounded in every dimension. `port` is VXLAN's; `tag` begins every canary; `names` has canaries' names by their
    texts; `keep` is how many bytes of packets become a pcap file.
    """

    def __init__(self, port: int, tag: str, names: Mapping[str, str], keep: int = 0) -> None:
        self._port = port
        self._tag = tag.encode()
        self._length = len(self._tag) + TOKEN
        self._names = {text.encode(): name for text, name in names.items()}
        self.counts: dict[Key, int] = {}
        self.uncounted = 0
        self.found: dict[tuple[str, Key], CanaryHit] = {}
        self.pcap = Pcap(keep) if keep else None

    def take(self, data: bytes, count: int, first: int) -> None:
        """One block of the ring."""
        counts = self.counts
        hits = data.find(self._tag) >= 0
        position = first
        for _ in range(count):
            if position + 96 > len(data):
                break
            step, snap, _whole, net, _ethertype, interface, _type, kind, _length, _hardware = _RECORD.unpack_from(
                data, position
            )
            key = self._key(data, position + net, snap, interface, kind == constants.PACKET_OUTGOING)
            if key in counts:
                counts[key] += 1
            elif len(counts) < MOST_KINDS:
                counts[key] = 1
            else:
                self.uncounted += 1
            if hits:
                self._look(data, position + net, snap, key)
            if self.pcap is not None:
                self.pcap.take(data, position)
            if not step:
                break
            position += step

    def _key(self, data: bytes, start: int, snap: int, interface: int, outgoing: bool) -> Key:
        if snap < 36 or len(data) < start + 36:
            return _short_key(data[start : start + snap], interface, outgoing)
        version, _length, fragment, protocol, source, target, high, low, _flags, number = _IP.unpack_from(data, start)
        if version != 0x45:
            return _odd_key(data[start : start + snap], interface, outgoing, self._port)
        if fragment & 0x1FFF:
            return interface, outgoing, source, target, "fragment", protocol
        if protocol == _ESP:
            return interface, outgoing, source, target, "esp", high << 16 | low
        if protocol == _UDP and low == self._port:
            return interface, outgoing, source, target, "vxlan", number >> 8
        return interface, outgoing, source, target, "other", protocol

    def _look(self, data: bytes, start: int, snap: int, key: Key) -> None:
        packet = data[start : start + snap]
        place = packet.find(self._tag)
        while place >= 0:
            name = self._names.get(packet[place : place + self._length])
            if name is not None:
                self._note(name, key, packet, place)
            place = packet.find(self._tag, place + 1)

    def _note(self, name: str, key: Key, packet: bytes, place: int) -> None:
        known = self.found.get((name, key))
        if known is not None:
            known.packets += 1
        elif len(self.found) < MOST_HITS:
            self.found[name, key] = CanaryHit(name, key, 1, excerpt(packet, place, _payload(packet, key[4])))


def _short_key(packet: bytes, interface: int, outgoing: bool) -> Key:
    """Too short for VXLAN; the shortest ESP packet is longer as well."""
    if len(packet) >= 20 and packet[0] >> 4 == 4:
        return interface, outgoing, packet[12:16], packet[16:20], "other", packet[9]
    return interface, outgoing, b"", b"", "other", 0


def _odd_key(packet: bytes, interface: int, outgoing: bool, port: int) -> Key:
    """IPv6, and IPv4 with options."""
    if packet[0] >> 4 == 6 and len(packet) >= 56:
        source, target, protocol, body = packet[8:24], packet[24:40], packet[6], packet[40:]
    elif packet[0] >> 4 == 4:
        source, target, protocol, body = packet[12:16], packet[16:20], packet[9], packet[(packet[0] & 15) * 4 :]
    else:
        return interface, outgoing, b"", b"", "other", 0
    if protocol == _IPV6_FRAGMENT or (packet[0] >> 4 == 4 and (packet[6] << 8 | packet[7]) & 0x1FFF):
        return interface, outgoing, source, target, "fragment", protocol
    if protocol == _ESP and len(body) >= 4:
        return interface, outgoing, source, target, "esp", int.from_bytes(body[:4], "big")
    if protocol == _UDP and len(body) >= 16 and int.from_bytes(body[2:4], "big") == port:
        return interface, outgoing, source, target, "vxlan", int.from_bytes(body[12:15], "big")
    return interface, outgoing, source, target, "other", protocol


def _payload(packet: bytes, kind: str) -> int:
    """Where the innermost payload begins; 0 where that is not plain to see."""
    outer = (packet[0] & 15) * 4 if packet[0] >> 4 == 4 else 40
    inner = outer + 30  # UDP, VXLAN and Ethernet headers
    if kind != "vxlan" or len(packet) <= inner or packet[inner] >> 4 != 4:
        return 0
    return inner + (packet[inner] & 15) * 4 + 8


def excerpt(packet: bytes, place: int, start: int = 0) -> str:
    r"""What anybody could read around a place in a packet, from `start` on, up to the nearest byte that is no text.

    >>> excerpt(b"\x00\x00GET /key HTTP/1.1\r\n\x00\x01", 7)
    'GET /key HTTP/1.1\r\n'
    """
    before = packet[max(min(start, place), place - _EXCERPT[0]) : place]
    breaks = [match.end() for match in _UNPRINTABLE.finditer(before)]
    head = before[breaks[-1] if breaks else 0 :]
    after = packet[place : place + _EXCERPT[1]]
    end = _UNPRINTABLE.search(after)
    return (head + after[: end.start() if end else len(after)]).decode("ascii")


class Pcap:
    """The packets themselves, up to a number of bytes, as a pcap file of link type LINUX_SLL, which keeps the
    direction.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.data = bytearray(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAP + 16, 113))
        self.left_out = 0

    def take(self, data: bytes, position: int) -> None:
        """One record of a block."""
        _step, snap, whole, net, ethertype, _interface, hardware, kind, length, address = _RECORD.unpack_from(
            data, position
        )
        if len(self.data) + snap + 32 > self._limit:
            self.left_out += 1
            return
        seconds, nanoseconds = struct.unpack_from("=II", data, position + 4)
        self.data += struct.pack("=IIII", seconds, nanoseconds // 1000, snap + 16, whole + 16)
        self.data += struct.pack("!HHH8s2s", kind, hardware, length, address, ethertype)
        self.data += data[position + net : position + net + snap]
