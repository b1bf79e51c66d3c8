"""One AF_PACKET socket in one namespace: both directions, filtered in the kernel, its memory bounded, its losses
counted.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Sequence

from swarmlab.agent.kernel import bpf, constants
from swarmlab.agent.probing.packet_index import Key, Noted, PacketIndex
from swarmlab.agent.protocol.bounds import CAPTURE_BUFFER


class Capture:
    """Must be made inside the namespace. `lost` only ever rises: a packet that was dropped may have been any packet."""

    def __init__(self, run: str, ports: Sequence[int], buffer: int = CAPTURE_BUFFER) -> None:
        self.index = PacketIndex(run)
        self.lost = 0
        self._socket = _socket(ports, buffer)

    def drain(self, limit: int = 1_000_000) -> None:
        """Note what has come in, at most `limit` packets, and take over the kernel's drop counter."""
        for _ in range(limit):
            try:
                packet, (interface, ethertype, kind, _hardware, _address) = self._socket.recvfrom(bpf.KEEP)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENETDOWN:  # an interface went away: said once, the socket lives on
                    raise
                continue
            if kind == constants.PACKET_OUTGOING or kind == constants.PACKET_HOST or ethertype == constants.ETH_P_ARP:
                self.index.note(packet, ethertype, kind == constants.PACKET_OUTGOING, interface)
        statistics = self._socket.getsockopt(constants.SOL_PACKET, constants.PACKET_STATISTICS, 8)
        self.lost += struct.unpack("II", statistics)[1]  # reading it resets it

    def found(self, noted: Noted, key: Key) -> bool | None:
        """True when it was seen; False only when nothing at all was lost; None when that cannot be told."""
        if key in noted:
            return True
        return None if self.lost else False

    def close(self) -> None:
        """Stop capturing."""
        self._socket.close()


def _socket(ports: Sequence[int], buffer: int) -> socket.socket:
    """Protocol 0 until the filter is in place: no foreign packet gets in between."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, 0)
    try:
        constants.force_buffer(sock, buffer)
        bpf.attach(sock, ports)
        constants.bind_all_interfaces(sock.fileno())
    except BaseException:
        sock.close()
        raise
    return sock
