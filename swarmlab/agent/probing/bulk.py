"""The sending end of a bulk transfer: how many bytes the other side's kernel took, and since when no more of them."""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
import time

from swarmlab.agent.kernel import constants
from swarmlab.agent.loop import BAD, EDGE, IN, OUT
from swarmlab.agent.probing import outcomes
from swarmlab.agent.probing.batch import Attempt, Batch
from swarmlab.agent.probing.endpoint import Endpoint
from swarmlab.agent.protocol.mtu import BulkResult
from swarmlab.agent.protocol.nonce import ANSWER, BULK, nonce, read_nonce

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class BulkAttempt(Attempt):
    """`size` bytes to `address`; answered once the listener has said that it has them all."""

    __slots__ = ("_data", "address", "idle", "moved", "patience", "progress", "size")

    def __init__(self, batch: Batch, endpoint: Endpoint, address: str, size: int, patience: float) -> None:
        super().__init__(batch, endpoint)
        self.address, self.size, self.patience = address, size, patience
        self.idle: float | None = None  # seconds without progress when it ended
        self.moved = 0  # bytes that the other kernel has acknowledged
        self.progress = 0.0
        self._data = memoryview(nonce(batch.run, size, BULK) + bytes(size))

    def start(self) -> None:
        """Connect; the rest happens when the connection stands."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self.begin(sock)
        self.progress = self.started
        self.sends = 1
        try:
            sock.connect((self.address, self.batch.port))
        except BlockingIOError as error:
            if error.errno != errno.EINPROGRESS:
                self.settle(*outcomes.at_once(error.errno or 0))
                return
        except OSError as error:
            self.settle(*outcomes.at_once(error.errno or 0))
            return
        self.batch.loop.add(sock.fileno(), IN | OUT | EDGE, self.ready)

    def ready(self, events: int) -> None:
        """There is room for more, an answer, or a failure."""
        if self.sock is None:
            return
        try:
            if events & (IN | BAD):
                self._hear(self.sock)
            while self._data and self.sock is not None:
                self._data = self._data[self.sock.send(self._data, socket.MSG_NOSIGNAL) :]
        except BlockingIOError:
            return
        except OSError as error:
            self.settle(*outcomes.later(error.errno or 0))

    def _hear(self, sock: socket.socket) -> None:
        number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, "")
        try:
            data = sock.recv(512)
        except BlockingIOError:
            return
        found = read_nonce(data, self.batch.run, ANSWER)
        if found is not None and found[0] == self.size:
            self.moved = self.size
            self.settle(outcomes.ANSWERED, "", found[1])
        else:
            self.settle(outcomes.REFUSED, "the listener ended the transfer")

    def clock(self, now: float) -> None:
        """Look how far it has come; what has not moved for so long has stopped."""
        moved = self._acknowledged()
        if moved > self.moved:
            self.moved, self.progress = moved, now
        elif now - self.progress > self.patience:
            self.overdue()

    def settle(self, outcome: str, detail: str = "", responder: str = "") -> None:
        """Idle time ends here: other size probes may go on."""
        if outcome != outcomes.ANSWERED:
            self.idle = time.monotonic() - self.progress
        super().settle(outcome, detail, responder)

    def _acknowledged(self) -> int:
        if self.sock is None:
            return self.moved
        left = struct.unpack("i", fcntl.ioctl(self.sock, constants.SIOCOUTQ, b"\0" * 4))[0]
        return max(0, self.size - len(self._data) - int(left))

    def result(self) -> BulkResult:
        """How far it came."""
        idle_ms = None if self.idle is None else round(self.idle * 1000)
        return BulkResult(self.size, self.outcome, self.responder, self.moved, self.latency, idle_ms, self.detail)

    def hang_up(self) -> None:
        """Close by RST: what has not been sent is not wanted any more."""
        if self.sock is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        super().hang_up()
