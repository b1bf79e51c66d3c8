"""What all attempts of one batch share, and what every kind of attempt has in common."""

from __future__ import annotations

import socket
import time

from swarmlab.agent.loop import Loop
from swarmlab.agent.probing import outcomes
from swarmlab.agent.probing.endpoint import Endpoint
from swarmlab.agent.protocol.nonce import SPORT_FIRST, SPORTS, sport_offset


class Batch:
    """Attempts under way at the same time. `pending` shrinks as they settle."""

    def __init__(self, loop: Loop, run: str, port: int, timeout: float, offset: int = 0) -> None:
        self.loop = loop
        self.run = run
        self.port = port
        self.timeout = timeout
        self.pending: set[Attempt] = set()
        self._offset = sport_offset(run, offset)

    def sport(self, probe: int) -> int:
        """A source port of its own for each probe of a run, so that a target's capture can tell senders apart by it
        alone.
        """
        return SPORT_FIRST + (probe + self._offset) % SPORTS


class Attempt:
    """One measurement under way: `start` sends, `again` repeats, `settle` ends it once and for all."""

    __slots__ = ("batch", "detail", "endpoint", "latency", "outcome", "responder", "sends", "sock", "sport", "started")

    def __init__(self, batch: Batch, endpoint: Endpoint) -> None:
        self.batch = batch
        self.endpoint = endpoint
        self.sock: socket.socket | None = None
        self.started = 0.0
        self.latency: float | None = None
        self.sends = 0
        self.sport = 0
        self.outcome = ""
        self.responder = ""
        self.detail = ""

    def start(self) -> None:
        """Make the socket and send; to be called inside the sender's namespace."""
        raise NotImplementedError

    def again(self) -> None:
        """Send once more, if the protocol does not do so by itself."""

    def overdue(self) -> None:
        """The deadline has passed."""
        self.settle(outcomes.TIMED_OUT, self.detail)

    def clock(self, now: float) -> None:
        """Called every few milliseconds, for attempts that do something at a time of their own."""

    def begin(self, sock: socket.socket | None) -> None:
        """Under way from now on; `sock` is closed when the attempt settles."""
        self.sock = sock
        self.started = time.monotonic()

    def elapsed(self) -> float:
        """Milliseconds since the first send."""
        return round((time.monotonic() - self.started) * 1000, 3)

    def settle(self, outcome: str, detail: str = "", responder: str = "") -> None:
        """The result is known; what comes later is ignored."""
        self.outcome = outcome
        self.detail = detail
        self.responder = responder
        if outcome == outcomes.ANSWERED and self.latency is None:
            self.latency = self.elapsed()
        self.batch.pending.discard(self)
        self.hang_up()

    def hang_up(self) -> None:
        """Close the socket, if there is one."""
        if self.sock is not None:
            self.batch.loop.forget(self.sock.fileno())
            self.sock.close()
            self.sock = None
