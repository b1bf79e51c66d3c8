"""ICMP probes: one raw socket for each sender's namespace; answers are matched by nonce and address."""

from __future__ import annotations

import os
import socket
import struct

from swarmlab.agent.kernel import constants
from swarmlab.agent.kernel.checksum import checksum
from swarmlab.agent.loop import IN
from swarmlab.agent.probing import outcomes
from swarmlab.agent.probing.batch import Batch
from swarmlab.agent.probing.endpoint import Endpoint
from swarmlab.agent.probing.probe import ProbeAttempt
from swarmlab.agent.protocol.nonce import MAGIC, read_nonce

ECHO_REPLY, UNREACHABLE, ECHO, TIME_EXCEEDED = 0, 3, 8, 11
_WANTED = 1 << ECHO_REPLY | 1 << UNREACHABLE | 1 << TIME_EXCEEDED
_BUFFER = 1024 * 1024
_IDENT = os.getpid() & 0xFFFF


def echo(ident: int, sequence: int, payload: bytes) -> bytes:
    """An echo request."""
    head = struct.pack("!BBHHH", ECHO, 0, 0, ident, sequence)
    return struct.pack("!BBHHH", ECHO, 0, checksum(head + payload), ident, sequence) + payload


class Pinger:
    """Must be made inside the namespace. Hands what comes in to the attempt that it belongs to."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.attempts: dict[int, IcmpAttempt] = {}
        self.socket = socket.socket(
            socket.AF_INET, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, socket.IPPROTO_ICMP
        )
        constants.force_buffer(self.socket, _BUFFER)
        self.socket.setsockopt(constants.SOL_RAW, constants.ICMP_FILTER, struct.pack("I", ~_WANTED & 0xFFFFFFFF))
        batch.loop.add(self.socket.fileno(), IN, self.ready)

    def ready(self, _events: int) -> None:
        """Read what there is, a bounded number."""
        for _ in range(128):
            try:
                packet, (source, _port) = self.socket.recvfrom(256)
            except OSError:
                return  # empty, or an error that belongs to no single probe
            self.receive(packet, source)

    def receive(self, packet: bytes, source: str) -> None:
        """An echo reply settles its attempt as answered, an ICMP error about one of our requests as unreachable."""
        message = packet[(packet[0] & 15) * 4 :] if packet else b""
        if len(message) < 8:
            return
        if message[0] == ECHO_REPLY:
            self._reply(message, source)
        elif message[0] in (UNREACHABLE, TIME_EXCEEDED):
            self._error(message, source)

    def _reply(self, message: bytes, source: str) -> None:
        found = read_nonce(message[8:24], self.batch.run, MAGIC)
        attempt = self.attempts.get(found[0]) if found else None
        if attempt is None or attempt.outcome:
            return
        if attempt.address == source:
            attempt.settle(outcomes.ANSWERED)
        else:
            attempt.detail = f"an echo reply came from {source} instead"

    def _error(self, message: bytes, source: str) -> None:
        original = message[8:]
        if len(original) < 28 or original[9] != socket.IPPROTO_ICMP:
            return
        request = original[(original[0] & 15) * 4 :]
        if len(request) < 8 or request[0] != ECHO or struct.unpack_from("!H", request, 4)[0] != _IDENT:
            return
        attempt = self._find(request, socket.inet_ntoa(original[16:20]))
        if attempt is not None and not attempt.outcome:
            attempt.settle(outcomes.UNREACHABLE, f"(ICMP type {message[0]} code {message[1]} from {source})")

    def _find(self, request: bytes, target: str) -> IcmpAttempt | None:
        """Which attempt an ICMP error is about: by the nonce where the error carries it, else by target and sequence.

        An error need not carry more than eight bytes of the request.
        """
        found = read_nonce(request[8:24], self.batch.run, MAGIC)
        if found is not None:
            return self.attempts.get(found[0])
        sequence = struct.unpack_from("!H", request, 6)[0]
        fitting = (s for s in self.attempts.values() if s.address == target and s.id & 0xFFFF == sequence)
        return next(fitting, None)

    def close(self) -> None:
        """Close the socket."""
        self.batch.loop.forget(self.socket.fileno())
        self.socket.close()


class IcmpAttempt(ProbeAttempt):
    """An echo request with the nonce as its payload."""

    __slots__ = ("errno", "pinger")
    protocol = "icmp"

    def __init__(self, batch: Batch, endpoint: Endpoint, probe: int, address: str, pinger: Pinger) -> None:
        super().__init__(batch, endpoint, probe, address, 0)
        self.pinger = pinger
        self.errno = 0
        pinger.attempts[probe] = self

    def start(self) -> None:
        """Send through the pinger's socket, which all ICMP attempts of a sender share."""
        self.begin(None)
        if self.family == socket.AF_INET:
            self.again()
        else:
            self.settle(outcomes.SEND_ERROR, "ICMP over IPv6 is not probed")

    def again(self) -> None:
        """A full neighbour table may have room later; any other refusal of our own kernel is final."""
        try:
            self.pinger.socket.sendto(echo(_IDENT, self.id & 0xFFFF, self.payload), (self.address, 0))
            self.sends += 1
            self.errno = 0
        except OSError as error:
            self.errno = error.errno or 0
            if self.errno not in outcomes.TRANSIENT:
                self.settle(*outcomes.at_once(self.errno))

    def overdue(self) -> None:
        """Nothing ever left: that is not a time-out."""
        if not self.sends and self.errno:
            self.settle(*outcomes.at_once(self.errno))
        else:
            super().overdue()
