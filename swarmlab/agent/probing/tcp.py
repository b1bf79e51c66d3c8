"""A TCP probe: connect, send the nonce, read who answers."""

from __future__ import annotations

import errno
import socket
import struct
import time

from swarmlab.agent.loop import BAD, EDGE, IN, OUT
from swarmlab.agent.probing import outcomes
from swarmlab.agent.probing.probe import ProbeAttempt
from swarmlab.agent.protocol.probing import SILENT

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER 0: thousands of probes leave no TIME_WAIT behind, on either side
_GRACE = 0.3  # seconds that an application's port gets to answer as ours would, once it has accepted
_SLOW = 10  # times the handshake, where that is longer: kernels shake hands, and a program has to be given its turn


class TcpAttempt(ProbeAttempt):
    """Once the handshake is complete, something answered, whatever comes after."""

    __slots__ = ("connected",)
    protocol = "tcp"

    def start(self) -> None:
        """The kernel sends the SYN again by itself, after one second and after three."""
        self.connected = 0.0
        sock = socket.socket(self.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self.begin(sock)
        self._bind(sock)
        try:
            sock.connect((self.address, self.port))
        except BlockingIOError as error:
            if error.errno != errno.EINPROGRESS:  # EAGAIN has the same class and means that no local port is free
                self.settle(*outcomes.at_once(error.errno or 0))
                return
        except OSError as error:
            self._failed(sock, error)
            return
        self.sends = 1
        self.sport = sock.getsockname()[1]
        self.batch.loop.add(sock.fileno(), IN | OUT | EDGE, self.ready)

    def _bind(self, sock: socket.socket) -> None:
        """The probe's own source port; when it is in use, whichever the kernel picks will do."""
        wanted = self.batch.sport(self.id)
        if wanted == self.batch.port or wanted in self.endpoint.ports:
            return
        try:
            sock.bind(("", wanted))
            self.sport = wanted
        except OSError:
            self.sport = 0

    def _failed(self, sock: socket.socket, error: OSError) -> None:
        outcome, detail = outcomes.at_once(error.errno or 0)
        self.sends = int(
            outcome == outcomes.REFUSED
        )  # refused inside the call: on loopback the RST is faster than connect()
        self.settle(outcome, detail)

    def ready(self, events: int) -> None:
        """Connected, answered, or failed."""
        sock = self.sock
        if sock is None:
            return
        try:
            if not self.connected and events & (OUT | BAD):
                self._connect(sock)
            if self.connected and events & (IN | BAD):
                self._read(sock)
        except BlockingIOError:
            return  # a call for nothing
        except OSError as error:
            self._error(error)

    def _connect(self, sock: socket.socket) -> None:
        number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, "")
        sock.send(self.payload, socket.MSG_NOSIGNAL)
        self.connected = time.monotonic()
        self.latency = self.elapsed()

    def _read(self, sock: socket.socket) -> None:
        data = sock.recv(512)
        self.latency = self.elapsed()
        if data:
            self.answered(data)
        else:
            self.settle(outcomes.ANSWERED, self._silence("closed"))

    def _error(self, error: OSError) -> None:
        if self.connected:
            self.settle(outcomes.ANSWERED, self._silence("reset"))
        else:
            self.settle(*outcomes.later(error.errno or 0))

    def _silence(self, how: str) -> str:
        if self.port != self.batch.port:
            return SILENT if how == "silent" else ""
        return f"the connection was accepted, then {how} without our listener's answer"

    def clock(self, now: float) -> None:
        """An application accepted and says nothing: that is an answer."""
        grace = max(min(_GRACE, self.batch.timeout / 4), _SLOW * (self.connected - self.started))
        if self.connected and self.port != self.batch.port and now - self.connected > grace:
            self.settle(outcomes.ANSWERED, SILENT)

    def overdue(self) -> None:
        """A handshake that was completed is an answer, even when nothing came after it."""
        if self.connected:
            self.settle(outcomes.ANSWERED, self._silence("silent"))
        else:
            super().overdue()

    def hang_up(self) -> None:
        """Close by RST."""
        if self.sock is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        super().hang_up()
