"""The largest datagram that passes in one piece, in one direction."""

from __future__ import annotations

import errno
import fcntl
import socket
import struct

from swarmlab.agent.kernel import constants
from swarmlab.agent.loop import IN
from swarmlab.agent.probing import outcomes
from swarmlab.agent.probing.batch import Attempt, Batch
from swarmlab.agent.probing.endpoint import Endpoint
from swarmlab.agent.protocol.mtu import BulkResult, SizeResult, SizeSpec
from swarmlab.agent.protocol.nonce import ANSWER, nonce, read_nonce

SMALL = 100  # bytes of the small datagram, IPv4 header included: whatever carries traffic at all carries it
HEADERS = 28  # IPv4 and UDP
TRIES = 3  # full-size datagrams lost before smaller ones are tried
_PAUSE = 0.1  # of the time-out, between two rounds: an acknowledgement has that long to come
_SIZES = 12  # tried at once in a round
_COPIES = 2  # of each of them: one may be lost by accident


class SizeAttempt(Attempt):
    """Small and full-size datagrams with DF set; while only the small ones are acknowledged, the sizes in between, in
    rounds. It ends after `patience` seconds.

    The acknowledgement is short whatever it acknowledges: only the way there is tested.
    """

    __slots__ = ("acked", "address", "due", "full", "id", "interface", "lost", "patience", "sure", "tries")

    def __init__(self, batch: Batch, endpoint: Endpoint, spec: SizeSpec, patience: float) -> None:
        super().__init__(batch, endpoint)
        self.id, self.address, self.patience = spec.id, spec.address, patience
        self.interface, self.full, self.tries, self.due = "", 0, 0, 0.0
        self.sure = False
        self.acked: set[int] = set()
        self.lost: set[int] = set()  # sizes that had their round without an acknowledgement so far

    def start(self) -> None:
        """An unconnected socket, so that the ICMP errors about one size do not keep the next one from being sent."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self.begin(sock)
        # DF on each packet, and the interface's MTU the only limit, whatever was learnt about the path earlier.
        sock.setsockopt(socket.IPPROTO_IP, constants.IP_MTU_DISCOVER, constants.IP_PMTUDISC_PROBE)
        self.interface = interface_to(self.endpoint, self.address, self.batch.port)
        self.full = mtu_of(sock, self.interface)
        self.batch.loop.add(sock.fileno(), IN, self.ready)
        self._send(SMALL)
        self._send(self.full)
        self.due = self.started + _PAUSE * self.patience

    def _send(self, size: int) -> None:
        if self.sock is None:
            return
        try:
            head = nonce(self.batch.run, self.id << 16 | size)
            self.sock.sendto(head + bytes(size - HEADERS - len(head)), (self.address, self.batch.port))
            self.sends += 1
            self.tries += size == self.full
        except OSError as error:
            self.detail = outcomes.at_once(error.errno or 0)[1]

    def ready(self, _events: int) -> None:
        """Read acknowledgements, a bounded number."""
        for _ in range(2 * _SIZES * _COPIES):
            if self.sock is None:
                return
            try:
                data = self.sock.recv(512)
            except OSError:
                return
            self._take(data)

    def _take(self, data: bytes) -> None:
        found = read_nonce(data, self.batch.run, ANSWER)
        if found is None or found[0] >> 16 != self.id:
            return
        self.acked.add(found[0] & 0xFFFF)
        self.responder = found[1]
        if self.full in self.acked:
            self.settle(outcomes.ANSWERED, "", found[1])

    def clock(self, now: float) -> None:
        """Next round: the full size again, and the small one or sizes between what passed and what did not."""
        if now < self.due:
            return
        self.due = now + _PAUSE * self.patience
        if now - self.started > self.patience:
            self.overdue()
            return
        if self.tries >= TRIES and self.acked and self.ceiling - self.largest <= 1:
            self.sure = True
            self.settle(outcomes.TIMED_OUT, self.detail, self.responder)
            return
        self._send(self.full)
        if not self.acked:
            self._send(SMALL)
        elif self.tries > TRIES:
            for size in steps(self.largest, self.ceiling):
                self.lost.add(size)
                for _ in range(_COPIES):
                    self._send(size)

    def overdue(self) -> None:
        """Time is up: settle with what is known."""
        self.settle(outcomes.TIMED_OUT, self.detail, self.responder)

    @property
    def largest(self) -> int:
        """The largest size that was acknowledged, 0 when none was."""
        return max(self.acked, default=0)

    @property
    def ceiling(self) -> int:
        """The smallest size above it that was lost."""
        return min((size for size in self.lost if size > self.largest), default=self.full)

    def result(self, control: BulkResult | None = None, bulk: BulkResult | None = None) -> SizeResult:
        """What was found out, with the transfers that were tried beside."""
        passed = self.full in self.acked
        return SizeResult(
            self.id, "", self.interface, self.full, bool(self.acked), passed, self.largest, self.sure or passed,
            self.tries, self.responder, self.detail, control, bulk,
        )  # fmt: skip


def steps(low: int, high: int) -> list[int]:
    """Sizes to try at once between one that passes and one that does not.

    >>> steps(100, 1450)[:3], steps(100, 104), steps(100, 101)
    ([203, 307, 411], [101, 102, 103], [])
    """
    parts = _SIZES + 1
    return sorted({low + (high - low) * part // parts for part in range(1, parts)} - {low, high})


def interface_to(endpoint: Endpoint, address: str, port: int) -> str:
    """The interface by which the route to `address` leaves; to be called inside the namespace. Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as probe:
        probe.connect((address, port))
        own = probe.getsockname()[0]
    for name, addresses in endpoint.interfaces.items():
        if any(text.partition("/")[0] == own for text in addresses):
            return name
    raise OSError(errno.ENODEV, f"no interface has the address {own}")


def mtu_of(sock: socket.socket, interface: str) -> int:
    """An interface's own MTU, in the namespace of `sock`; what a datagram can be at most."""
    asked = struct.pack("16s24x", interface.encode())
    return min(int(struct.unpack_from("i", fcntl.ioctl(sock, constants.SIOCGIFMTU, asked), 16)[0]), 0xFFFF)
