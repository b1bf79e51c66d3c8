"""The receiving end of a bulk transfer: swallows as many bytes as were announced, then says who has them."""

from __future__ import annotations

import socket
from collections import OrderedDict

from swarmlab.agent.loop import IN, Loop
from swarmlab.agent.protocol.bounds import MAX_BULK
from swarmlab.agent.protocol.nonce import BULK, answer, read_nonce

_SINKS_MAX = 256  # transfers under way at one listener
_CHUNK = 64 * 1024
_ONCE = 8  # chunks read per turn, so that no transfer keeps the others waiting
_NOW = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL


class Sinks:
    """All transfers to one listener; the oldest goes when there are too many."""

    def __init__(self, loop: Loop, run: str, endpoint: str) -> None:
        self._loop, self._run, self._endpoint = loop, run, endpoint
        self._open: OrderedDict[int, tuple[socket.socket, int, int]] = (
            OrderedDict()
        )  # connection, announced, still to come

    def take(self, connection: socket.socket, head: bytes) -> bool:
        """False when `head` announces no transfer of this run; the connection is ours otherwise."""
        found = read_nonce(head, self._run, BULK)
        if found is None or not 0 < found[0] <= MAX_BULK:
            return False
        fd = connection.fileno()
        connection.setblocking(False)
        self._open[fd] = (connection, found[0], found[0])
        self._loop.add(fd, IN, lambda _events: self._read(fd))
        while len(self._open) > _SINKS_MAX:
            self._drop(next(iter(self._open)))
        return True

    def _read(self, fd: int) -> None:
        if fd not in self._open:
            return
        connection, size, left = self._open[fd]
        try:
            for _ in range(_ONCE):
                data = connection.recv(min(_CHUNK, left), _NOW)
                left -= len(data)
                if not data or not left:
                    self._end(fd, b"" if left else answer(self._run, size, self._endpoint))
                    return
        except BlockingIOError:
            pass
        except OSError:
            self._drop(fd)
            return
        self._open[fd] = (connection, size, left)

    def _end(self, fd: int, last: bytes) -> None:
        if last:
            self._open[fd][0].send(last, _NOW)
        self._drop(fd)

    def _drop(self, fd: int) -> None:
        self._loop.forget(fd)
        self._open.pop(fd)[0].close()

    def close(self) -> None:
        """Drop what is under way."""
        while self._open:
            self._drop(next(iter(self._open)))
