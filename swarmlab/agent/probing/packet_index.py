"""What one capture saw, reduced to what is asked: requests that left or arrived, answers that left, ARP questions."""

from __future__ import annotations

import socket
import struct

from swarmlab.agent.kernel import constants
from swarmlab.agent.protocol.nonce import ANSWER, MAGIC

Key = tuple[int, int, int]  # TCP: 6, the client's port, the server's; UDP and ICMP: protocol, probe id, -1
Noted = dict[Key, tuple[int, str]]  # the round, the interface
TCP, UDP, ICMP = socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_ICMP
NUMBERS = {"tcp": int(TCP), "udp": int(UDP), "icmp": int(ICMP)}
_SYN, _RST, _ACK = 0x02, 0x04, 0x10


def key_of(protocol: str, probe: int, sport: int, port: int) -> Key:
    """The key under which a probe's packets are noted."""
    return (int(TCP), sport, port) if protocol == "tcp" else (NUMBERS[protocol], probe, -1)


class PacketIndex:
    """Each entry keeps the round in which it was made, so that an earlier round's packets cannot vouch for a later
    one.
    """

    def __init__(self, run: str) -> None:
        self._run = bytes.fromhex(run)
        self.round = 0
        self.left: Noted = {}
        self.seen: Noted = {}
        self.answered: Noted = {}
        self.asked: set[bytes] = set()

    def forget(self) -> None:
        """A new batch: our own earlier requests, and all that other agents asked us about, no longer count."""
        self.left.clear()
        self.asked.clear()
        for noted in (self.seen, self.answered):
            for key in [key for key, entry in noted.items() if entry[0] < self.round]:
                del noted[key]

    def note(self, packet: bytes, ethertype: int, outgoing: bool, interface: str) -> None:
        """Note one packet; anything malformed is no packet of ours."""
        try:
            if ethertype == constants.ETH_P_IP:
                self._ip(packet[9], packet[(packet[0] & 15) * 4 :], outgoing, interface)
            elif ethertype == constants.ETH_P_IPV6:
                self._ip(packet[6], packet[40:], outgoing, interface)
            elif ethertype == constants.ETH_P_ARP and outgoing and packet[6:8] == b"\0\1":
                self.asked.add(packet[24:28])
        except (IndexError, struct.error):
            return

    def _ip(self, protocol: int, body: bytes, outgoing: bool, interface: str) -> None:
        if protocol == TCP:
            self._tcp(body, outgoing, interface)
        elif protocol == UDP:
            self._udp(body, outgoing, interface)
        elif protocol == ICMP and body[0] in (0, 8):
            self._nonce(ICMP, body[8:24], body[0] == 8, outgoing, interface)

    def _tcp(self, body: bytes, outgoing: bool, interface: str) -> None:
        source, target = struct.unpack_from("!HH", body)
        flags = body[13]
        if flags & (_SYN | _ACK | _RST) == _SYN:
            self._write(self.left if outgoing else self.seen, (int(TCP), source, target), interface)
        elif outgoing:  # SYN-ACK or RST: the target answered
            self._write(self.answered, (int(TCP), target, source), interface)

    def _udp(self, body: bytes, outgoing: bool, interface: str) -> None:
        data = body[8:24]
        if data[:4] == MAGIC or data[:4] == ANSWER:
            self._nonce(UDP, data, data[:4] == MAGIC, outgoing, interface)
        elif outgoing:  # an application's answer does not carry the nonce: known by its ports
            source, target = struct.unpack_from("!HH", body)
            self._write(self.answered, (int(UDP), target, source), interface)

    def _nonce(self, protocol: int, data: bytes, request: bool, outgoing: bool, interface: str) -> None:
        if len(data) < 16 or data[4:12] != self._run:
            return
        key = (int(protocol), struct.unpack_from("!I", data, 12)[0], -1)
        if request:
            self._write(self.left if outgoing else self.seen, key, interface)
        elif outgoing:
            self._write(self.answered, key, interface)

    def _write(self, noted: Noted, key: Key, interface: str) -> None:
        if key not in noted or noted[key][0] < self.round:
            noted[key] = (self.round, interface)
