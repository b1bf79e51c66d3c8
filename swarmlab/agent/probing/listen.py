"""Listeners: they read a nonce, answer it with the endpoint's id, and nothing else."""

from __future__ import annotations

import socket
import struct
from collections import OrderedDict

from swarmlab.agent.kernel import constants
from swarmlab.agent.loop import IN, Loop
from swarmlab.agent.probing.sink import Sinks
from swarmlab.agent.protocol.nonce import answer, read_nonce

_BACKLOG = 4096
_WAITING_MAX = 512  # connections that have sent nothing yet
_ONCE = 64  # connections or datagrams served per turn
_BUFFER = 2 * 1024 * 1024
_DEFER = 5  # seconds for which the kernel keeps a connection to itself until its first data have come
_NOW = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL


class TcpListener:
    """Must be made inside the namespace; raises OSError (EADDRINUSE) when the port is taken."""

    def __init__(self, loop: Loop, family: socket.AddressFamily, port: int, run: str, endpoint: str) -> None:
        self._loop, self._run, self._endpoint = loop, run, endpoint
        self._waiting: OrderedDict[int, socket.socket] = OrderedDict()
        self._sinks = Sinks(loop, run, endpoint)
        self.socket = _bound(family, socket.SOCK_STREAM, port)
        self.socket.setsockopt(socket.IPPROTO_TCP, constants.TCP_DEFER_ACCEPT, _DEFER)
        self.socket.listen(_BACKLOG)
        loop.add(self.socket.fileno(), IN, self._accept)

    def _accept(self, _events: int) -> None:
        for _ in range(_ONCE):
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return  # none left, or that client has gone again
            if not self._serve(connection):
                self._wait(connection)

    def _serve(self, connection: socket.socket) -> bool:
        """False when nothing has come yet."""
        try:
            head = connection.recv(16, _NOW)
            found = read_nonce(head, self._run)
            if found is None and self._sinks.take(connection, head):
                return True
            if found is not None:
                connection.send(answer(self._run, found[0], self._endpoint), _NOW)
        except BlockingIOError:
            return False
        except OSError:
            connection.close()  # the client reset it: there is nobody left to answer
            return True
        connection.close()
        return True

    def _wait(self, connection: socket.socket) -> None:
        fd = connection.fileno()
        self._waiting[fd] = connection
        self._loop.add(fd, IN, lambda _events: self._resume(fd))
        while len(self._waiting) > _WAITING_MAX:
            self._drop(next(iter(self._waiting)))

    def _resume(self, fd: int) -> None:
        connection = self._waiting.pop(fd, None)
        if connection is None:
            return
        self._loop.remove(fd)  # what serves it next may want to watch it
        if not self._serve(connection):
            self._wait(connection)

    def _drop(self, fd: int) -> None:
        self._loop.forget(fd)
        self._waiting.pop(fd).close()

    def close(self) -> None:
        """Stop listening, and drop connections that are still waiting."""
        while self._waiting:
            self._drop(next(iter(self._waiting)))
        self._sinks.close()
        self._loop.forget(self.socket.fileno())
        self.socket.close()


class UdpListener:
    """One socket for all of a namespace's addresses: it answers from the address that was asked."""

    def __init__(self, loop: Loop, family: socket.AddressFamily, port: int, run: str, endpoint: str) -> None:
        self._loop, self._run, self._endpoint = loop, run, endpoint
        self.socket = _bound(family, socket.SOCK_DGRAM, port)
        constants.force_buffer(self.socket, _BUFFER)
        self._level = socket.IPPROTO_IP if family == socket.AF_INET else socket.IPPROTO_IPV6
        self._kind = constants.IP_PKTINFO if family == socket.AF_INET else constants.IPV6_PKTINFO
        self.socket.setsockopt(
            self._level, constants.IP_PKTINFO if family == socket.AF_INET else constants.IPV6_RECVPKTINFO, 1
        )
        loop.add(self.socket.fileno(), IN, self._ready)

    def _ready(self, _events: int) -> None:
        for _ in range(_ONCE):
            try:
                data, ancillary, _flags, client = self.socket.recvmsg(64, 128)
                found = read_nonce(data, self._run)
                if found is not None:
                    self.socket.sendmsg(
                        [answer(self._run, found[0], self._endpoint)], self._from(ancillary), _NOW, client
                    )
            except OSError:
                return  # none left; or the answer could not leave, which the capture will show

    def _from(self, ancillary: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
        for level, kind, data in ancillary:
            if level == self._level and kind == self._kind:
                return [(level, kind, _answer_from(data, level == socket.IPPROTO_IP))]
        return []

    def close(self) -> None:
        """Stop listening."""
        self._loop.forget(self.socket.fileno())
        self.socket.close()


def _answer_from(data: bytes, v4: bool) -> bytes:
    """The source address without the interface, so that the way back is the route's choice."""
    return struct.pack("=I4s4s", 0, data[4:8], b"\0" * 4) if v4 else struct.pack("=16sI", data[:16], 0)


def _bound(family: socket.AddressFamily, kind: socket.SocketKind, port: int) -> socket.socket:
    sock = socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(("", port))
    except OSError:
        sock.close()
        raise
    return sock
