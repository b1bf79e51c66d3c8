"""A name probe: asks the embedded DNS in the asker's own namespace, until an accepted answer or the deadline."""

from __future__ import annotations

import os
import socket
import struct
import time

from swarmlab.agent.loop import IN, OUT
from swarmlab.agent.probing import dns, outcomes
from swarmlab.agent.probing.batch import Attempt, Batch
from swarmlab.agent.probing.endpoint import Endpoint
from swarmlab.agent.protocol.probing import NameResult, NameSpec

_PORT = 53
_AGAIN = 0.5  # seconds between questions
_ASKED_MAX = 64  # identifiers that are still answered to
_MESSAGE_MAX = 65535


class NameAttempt(Attempt):
    """Ends early with an accepted answer; where none is named, with the first."""

    __slots__ = ("addresses", "failure", "idents", "next", "rcode", "received", "spec", "stream")

    def __init__(self, batch: Batch, endpoint: Endpoint, spec: NameSpec) -> None:
        super().__init__(batch, endpoint)
        self.spec = spec
        self.idents: list[int] = []
        self.rcode = ""
        self.addresses: tuple[str, ...] = ()
        self.failure: tuple[str, str] = (outcomes.TIMED_OUT, "")
        self.next = 0.0
        self.stream: socket.socket | None = None
        self.received = b""

    def start(self) -> None:
        """Ask at once, then every half second."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self.begin(sock)
        try:
            dns.question(0, self.spec.name)
            sock.connect((self.spec.server, _PORT))
        except dns.Malformed as error:
            self.settle(outcomes.SEND_ERROR, str(error))
            return
        except OSError as error:
            self.settle(*outcomes.at_once(error.errno or 0))
            return
        self.batch.loop.add(sock.fileno(), IN, self.ready)
        self.ask()

    def clock(self, now: float) -> None:
        """Ask again when it is time."""
        if now >= self.next:
            self.ask()

    def ask(self) -> None:
        """A new identifier each time; late answers to the earlier ones still count."""
        if self.sock is None:
            return
        self.next = time.monotonic() + _AGAIN
        try:
            self.sock.send(self._question())
            self.sends += 1
        except OSError as error:  # nobody listens there yet, perhaps: keep asking
            self.failure = outcomes.later(error.errno or 0) if self.sends else outcomes.at_once(error.errno or 0)

    def _question(self) -> bytes:
        ident = int.from_bytes(os.urandom(2), "big")
        self.idents = [*self.idents[-_ASKED_MAX:], ident]
        return dns.question(ident, self.spec.name)

    def ready(self, _events: int) -> None:
        """Read an answer by UDP."""
        if self.sock is None:
            return
        try:
            data = self.sock.recv(4096)
        except BlockingIOError:
            return
        except OSError as error:
            self.failure = outcomes.later(error.errno or 0)
            return
        self._take(data)

    def _take(self, data: bytes) -> None:
        reply = dns.read(data, frozenset(self.idents), self.spec.name)
        if reply is None:
            return
        if reply.truncated and self.stream is None and data is not self.received:
            self._open_stream()
            return
        self.rcode, self.addresses, self.latency = reply.rcode, reply.addresses, self.elapsed()
        if not self.spec.accepted or (reply.rcode == "NOERROR" and frozenset(reply.addresses) in self.spec.accepted):
            self.settle(outcomes.ANSWERED)

    def overdue(self) -> None:
        """The last answer, if there was any, else why there was none."""
        if self.rcode:
            self.settle(outcomes.ANSWERED, "not an accepted answer")
        else:
            self.settle(*self.failure)

    def _open_stream(self) -> None:
        """The answer does not fit a datagram: ask by TCP, once at a time."""
        if self.endpoint.namespace is None:
            return
        with self.endpoint.namespace.entered():
            stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self.stream, self.received = stream, b""
        try:
            stream.connect((self.spec.server, _PORT))
        except BlockingIOError:
            self.batch.loop.add(stream.fileno(), OUT, self._stream_ready)
        except OSError as error:
            self._close_stream(error)
        else:
            self.batch.loop.add(stream.fileno(), OUT, self._stream_ready)

    def _stream_ready(self, _events: int) -> None:
        if self.stream is None:
            return
        try:
            message = self._question()
            self.stream.send(struct.pack("!H", len(message)) + message, socket.MSG_NOSIGNAL)
            self.batch.loop.change(self.stream.fileno(), IN, self._stream_read)
        except BlockingIOError:
            return
        except OSError as error:
            self._close_stream(error)

    def _stream_read(self, _events: int) -> None:
        if self.stream is None:
            return
        try:
            data = self.stream.recv(_MESSAGE_MAX)
        except BlockingIOError:
            return
        except OSError as error:
            self._close_stream(error)
            return
        self.received += data
        whole = len(self.received) >= 2 and len(self.received) >= 2 + struct.unpack_from("!H", self.received)[0]
        if whole or not data or len(self.received) > _MESSAGE_MAX + 2:
            self._close_stream(None)
        if whole:
            self.received = self.received[2:]
            self._take(self.received)

    def _close_stream(self, error: OSError | None) -> None:
        if error is not None:
            self.failure = outcomes.later(error.errno or 0)
        if self.stream is not None:
            self.batch.loop.forget(self.stream.fileno())
            self.stream.close()
            self.stream = None

    def hang_up(self) -> None:
        """Close both sockets."""
        self._close_stream(None)
        super().hang_up()

    def result(self) -> NameResult:
        """The last answer."""
        return NameResult(self.spec.id, self.outcome, self.rcode, self.addresses, self.latency, self.sends, self.detail)
