"""A name probe: asks the embedded DNS in the asker's own namespace, until the answer is accepted or the deadline
passes.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Sequence

from swarmlab.agent.loop import IN, OUT
from swarmlab.agent.probing import dns, outcomes
from swarmlab.agent.probing.batch import Attempt, Batch
from swarmlab.agent.probing.endpoint import Endpoint

SERVER = "127.0.0.11"
_PORT = 53
_AGAIN = 0.5  # seconds between questions
_ASKED_MAX = 64  # identifiers that are still answered to
_MESSAGE_MAX = 65535


class NameAttempt(Attempt):
    """`accepted` are the sets of addresses that end it early; without any, the first answer does."""

    __slots__ = (
        "accepted",
        "addresses",
        "failure",
        "id",
        "idents",
        "name",
        "next",
        "rcode",
        "received",
        "server",
        "stream",
    )

    def __init__(
        self, batch: Batch, endpoint: Endpoint, probe: int, name: str, accepted: Sequence[frozenset[str]], server: str
    ) -> None:
        super().__init__(batch, endpoint)
        self.id, self.name, self.accepted, self.server = probe, name, accepted, server
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
            dns.question(0, self.name)
            sock.connect((self.server, _PORT))
        except dns.Malformed as error:
            self.settle(outcomes.SEND_ERROR, str(error))
            return
        except OSError as error:
            self.settle(*outcomes.at_once(error.errno or 0))
            return
        self.batch.loop.add(sock.fileno(), IN, self.ready)
        self.ask()

    def clock(self, now: float) -> None:
        """Time to ask again?"""
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
        return dns.question(ident, self.name)

    def ready(self, _events: int) -> None:
        """An answer by UDP."""
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
        reply = dns.read(data, frozenset(self.idents), self.name)
        if reply is None:
            return
        if reply.truncated and self.stream is None and data is not self.received:
            self._open_stream()
            return
        self.rcode, self.addresses, self.latency = reply.rcode, reply.addresses, self.elapsed()
        if not self.accepted or (reply.rcode == "NOERROR" and frozenset(reply.addresses) in self.accepted):
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
            stream.connect((self.server, _PORT))
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
        """Both sockets."""
        self._close_stream(None)
        super().hang_up()

    def answer(self) -> dict[str, object]:
        """As the protocol wants it."""
        return {
            "id": self.id,
            "outcome": self.outcome,
            "rcode": self.rcode,
            "addresses": list(self.addresses),
            "latency_ms": self.latency,
            "sends": self.sends,
            "detail": self.detail,
        }
