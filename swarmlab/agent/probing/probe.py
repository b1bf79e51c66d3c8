"""Reach probes: what TCP, UDP and ICMP attempts have in common."""

from __future__ import annotations

import socket

from swarmlab.agent.probing import outcomes
from swarmlab.agent.probing.batch import Attempt, Batch
from swarmlab.agent.probing.endpoint import Endpoint
from swarmlab.agent.protocol.nonce import ANSWER, nonce, read_nonce


class ProbeAttempt(Attempt):
    """One packet exchange to be tried with `address` and `port`."""

    __slots__ = ("address", "id", "port")
    protocol = ""

    def __init__(self, batch: Batch, endpoint: Endpoint, probe: int, address: str, port: int) -> None:
        super().__init__(batch, endpoint)
        self.id = probe
        self.address = address
        self.port = port

    @property
    def family(self) -> socket.AddressFamily:
        """IPv6 if the address has a colon."""
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET

    @property
    def payload(self) -> bytes:
        """What is sent: the nonce."""
        return nonce(self.batch.run, self.id)

    def answered(self, data: bytes) -> None:
        """Something answered; the answer itself says which endpoint it was."""
        found = read_nonce(data, self.batch.run, ANSWER)
        if found is not None and found[0] == self.id:
            self.settle(outcomes.ANSWERED, "", found[1])
        else:
            self.settle(outcomes.ANSWERED, "the answer is not our listener's" if self.port == self.batch.port else "")
