"""A UDP probe: a connected socket of its own, so that an ICMP error comes back to the probe that caused it."""

from __future__ import annotations

import socket
import struct

from swarmlab.agent.kernel import constants
from swarmlab.agent.loop import BAD, IN
from swarmlab.agent.probing import outcomes
from swarmlab.agent.probing.probe import ProbeAttempt


class UdpAttempt(ProbeAttempt):
    """Sends the nonce, and again, until an answer comes from the address that was asked."""

    __slots__ = ("errno",)
    protocol = "udp"

    def start(self) -> None:
        """Routes are looked up by connect(); the first datagram leaves at once."""
        self.errno = 0
        sock = socket.socket(self.family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self.begin(sock)
        try:
            if sock.family == socket.AF_INET:
                sock.setsockopt(
                    socket.IPPROTO_IP, constants.IP_RECVERR, 1
                )  # else only "port unreachable" would be told
            sock.connect((self.address, self.port))
        except OSError as error:
            self.settle(*outcomes.at_once(error.errno or 0))
            return
        self.sport = sock.getsockname()[1]
        self.batch.loop.add(sock.fileno(), IN, self.ready)
        self.again()

    def again(self) -> None:
        """A full neighbour table may have room later; any other refusal of our own kernel is final."""
        if self.sock is None:
            return
        try:
            self.sock.send(self.payload)
            self.sends += 1
            self.errno = 0
        except OSError as error:
            self._unsent(error.errno or 0)

    def _unsent(self, number: int) -> None:
        if number in outcomes.TRANSIENT:
            self.errno = number
        else:
            self.settle(*(outcomes.later(number) if self.sends else outcomes.at_once(number)))

    def ready(self, events: int) -> None:
        """An answer, or an error that came back."""
        sock = self.sock
        if sock is None:
            return
        try:
            data = sock.recv(512)
        except BlockingIOError:
            if events & BAD:  # only the error queue has something: the socket's error itself was taken by send()
                self.settle(outcomes.UNREACHABLE, offender(sock))
            return
        except OSError as error:
            outcome, detail = outcomes.later(error.errno or 0)
            self.settle(outcome, f"{detail} {offender(sock)}".strip())
            return
        self.answered(data)

    def overdue(self) -> None:
        """Nothing ever left: that is not a time-out."""
        if not self.sends and self.errno:
            self.settle(*outcomes.at_once(self.errno))
        else:
            super().overdue()


def offender(sock: socket.socket) -> str:
    """Who sent the ICMP error, and which: from the socket's error queue; "" when it does not say."""
    try:
        _, ancillary, _, _ = sock.recvmsg(64, 512, socket.MSG_ERRQUEUE)
    except OSError:
        return ""
    for level, kind, data in ancillary:
        if level == socket.IPPROTO_IP and kind == constants.IP_RECVERR and len(data) >= 24:
            origin, icmp_type, code = struct.unpack_from("=4xBBB", data)
            if origin == 2:  # SO_EE_ORIGIN_ICMP
                return f"(ICMP type {icmp_type} code {code} from {socket.inet_ntoa(data[20:24])})"
    return ""
