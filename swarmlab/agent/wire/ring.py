"""A capture that the kernel fills by itself: a ring of blocks in memory of a fixed size (AF_PACKET, TPACKET_V3), its
losses counted.
"""

from __future__ import annotations

import ctypes
import mmap
import select
import socket
import struct
from collections.abc import Iterator, Sequence

from swarmlab.agent.kernel import bpf, constants

BLOCK = 1 << 18  # bytes: well over a thousand small packets are handed over at once
RETIRE = 20  # milliseconds after which a block is handed over although it is not full
_PACKET_RX_RING, _PACKET_VERSION, _V3 = 5, 10, 2
_FRAME = 2048  # bytes; version 3 packs packets of any size, and only checks that this divides a block
_HEAD = struct.Struct("=8xIIII")  # of struct tpacket_block_desc: status, packets, offset of the first, bytes in use
_READY = 1  # TP_STATUS_USER


class Ring:
    """Must be made inside the namespace. Sees all interfaces, both directions. `budget` bytes are all that it ever
    takes.
    """

    def __init__(self, budget: int, steps: Sequence[bpf.Step]) -> None:
        blocks = max(2, budget // BLOCK)
        # Protocol 0 until the filter is in place: no foreign packet gets in between.
        self._socket = socket.socket(
            socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, 0
        )
        try:
            self._socket.setsockopt(constants.SOL_PACKET, _PACKET_VERSION, _V3)
            shape = struct.pack("=7I", BLOCK, blocks, _FRAME, BLOCK // _FRAME * blocks, RETIRE, 0, 0)
            self._socket.setsockopt(constants.SOL_PACKET, _PACKET_RX_RING, shape)
            _attach(self._socket, steps)
            self._memory = mmap.mmap(self._socket.fileno(), BLOCK * blocks)
            constants.bind_all_interfaces(self._socket.fileno())
        except BaseException:
            self._socket.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._blocks, self._next = blocks, 0
        self.size = BLOCK * blocks
        self.packets = self.drops = 0

    def wait(self, seconds: float) -> bool:
        """Whether a block is ready, at once or within that time. (An interface that went away ends the wait too; that
        is no harm.)
        """
        return self._ready() or (bool(self._poll.poll(seconds * 1000)) and self._ready())

    def _ready(self) -> bool:
        return bool(_HEAD.unpack_from(self._memory, self._next * BLOCK)[0] & _READY)

    def blocks(self) -> Iterator[tuple[bytes, int, int]]:
        """Each ready block: its bytes (a copy, so that the kernel has the block back at once), packets, offset of the
        first.
        """
        while self._ready():
            start = self._next * BLOCK
            _status, count, first, used = _HEAD.unpack_from(self._memory, start)
            data = self._memory[start : start + min(used, BLOCK)]
            struct.pack_into("=I", self._memory, start + 8, 0)
            self._next = (self._next + 1) % self._blocks
            yield data, count, first

    def stop(self) -> None:
        """Let nothing more in; what is in can still be read: a block that is not full comes after RETIRE."""
        _attach(self._socket, [bpf.Step(bpf.RETURN, 0)])

    def count(self) -> None:
        """Take over the kernel's counters; reading resets them. `packets` includes those that were dropped for want of
        room.
        """
        packets, drops, _freezes = struct.unpack(
            "=3I", self._socket.getsockopt(constants.SOL_PACKET, constants.PACKET_STATISTICS, 12)
        )
        self.packets += packets
        self.drops += drops

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()
        self._socket.close()


def _attach(sock: socket.socket, steps: Sequence[bpf.Step]) -> None:
    code = bpf.assemble(steps)
    buffer = ctypes.create_string_buffer(code, len(code))
    sock.setsockopt(
        socket.SOL_SOCKET, constants.SO_ATTACH_FILTER, struct.pack("HL", len(code) // 8, ctypes.addressof(buffer))
    )
