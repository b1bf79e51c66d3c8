"""A volley from beginning to end: all sockets, all requests, one deadline."""

from __future__ import annotations

import gc
import itertools
import operator
import os
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from swarmlab.agent import neighbours, outcomes
from swarmlab.agent.endpoint import Endpoint
from swarmlab.agent.evidence import dead_name, dead_probe, entry
from swarmlab.agent.icmp import IcmpShot, Pinger
from swarmlab.agent.loop import Loop
from swarmlab.agent.names import NameShot
from swarmlab.agent.probe import ProbeShot
from swarmlab.agent.requests import NameRequest, ProbeRequest
from swarmlab.agent.tcp import TcpShot
from swarmlab.agent.udp import UdpShot
from swarmlab.agent.volley import Shot, Volley

REPEATS = (0.25, 0.5, 0.75)  # when UDP and ICMP are sent again, as parts of the time-out
_BREATHE = 32  # shots between two looks at what has come in meanwhile
_SLICE = 0.02  # seconds between two looks at clocks and captures
_DRAIN = 2_000  # packets written down per capture when nothing else is to be done
_RESERVE = 256  # descriptors kept for the listeners' connections
_BATCH_MIN = 16


@dataclass
class Battery:
    """What every volley of this agent needs. `aborted` says that nobody waits for the answer any more."""

    loop: Loop
    endpoints: Mapping[str, Endpoint]
    run: str
    port: int
    aborted: Callable[[], bool]
    volleys: int = 0
    descriptors: int = 0  # 0: as many as the process may open
    senders: dict[str, str] = field(default_factory=dict)  # endpoint id -> "" or why it cannot send

    def fire(self, timeout: float, probes: Sequence[ProbeRequest], names: Sequence[NameRequest]) -> dict[str, object]:
        """Everything at once, or in as few batches as descriptors allow, each with a deadline of its own."""
        self._prepare()
        full_before = neighbours.overflows()
        requests: list[ProbeRequest | NameRequest] = [*probes, *names]
        alive = [request for request in requests if not self._why_dead(request.source)]
        shots = [shot for batch in self._batches(alive, timeout) for shot in batch]
        return {
            "op": "fire",
            "probes": self._probe_entries(probes, shots, full_before),
            "names": [dead_name(n.id, self._why_dead(n.source)) for n in names if self._why_dead(n.source)]
            + [shot.answer() for shot in shots if isinstance(shot, NameShot)],
        }

    def _prepare(self) -> None:
        """Earlier packets must not vouch for this volley; senders that have gone since they were opened cannot send."""
        self.volleys += 1
        self.senders = {name: endpoint.gone() for name, endpoint in self.endpoints.items()}
        for endpoint in self.endpoints.values():
            if endpoint.capture is not None:
                endpoint.capture.drain()
                endpoint.capture.ledger.forget()

    def _why_dead(self, source: str) -> str:
        return self.senders.get(source, f"no endpoint {source!r} was opened here")

    def _probe_entries(self, probes: Sequence[ProbeRequest], shots: Sequence[Shot], full_before: int | None) -> list[dict[str, object]]:
        for endpoint in {id(s.endpoint): s.endpoint for s in shots if s.outcome != outcomes.ANSWERED}.values():
            if endpoint.capture is not None:
                endpoint.capture.drain()
        full = _overflowed(shots, full_before, neighbours.overflows())
        dead = [dead_probe(p.id, self._why_dead(p.source)) for p in probes if self._why_dead(p.source)]
        return dead + [entry(shot, full) for shot in shots if isinstance(shot, ProbeShot)]

    def _batches(self, requests: list[ProbeRequest | NameRequest], timeout: float) -> Iterator[list[Shot]]:
        size = max(_BATCH_MIN, self.descriptors or free_descriptors())
        count = -(-len(requests) // size)
        for number in range(count):
            shots = self._volley(requests[number * size : (number + 1) * size], timeout)
            for shot in shots if count > 1 else ():
                shot.detail = f"{shot.detail} (batch {number + 1} of {count}: too few file descriptors for one)".strip()
            yield shots

    def _volley(self, requests: Sequence[ProbeRequest | NameRequest], timeout: float) -> list[Shot]:
        volley = Volley(self.loop, self.run, self.port, timeout, self.volleys)
        pingers: dict[str, Pinger] = {}
        with _no_garbage_collection():
            shots = self._launch(volley, requests, pingers)
            self.attend(volley)
        for pinger in pingers.values():
            pinger.close()
        return shots

    def _launch(self, volley: Volley, requests: Sequence[ProbeRequest | NameRequest], pingers: dict[str, Pinger]) -> list[Shot]:
        """Enter each sender's namespace once; look up now and then, so that answers are not kept waiting."""
        shots: list[Shot] = []
        for source, group in itertools.groupby(sorted(requests, key=_by_source), key=_by_source):
            endpoint = self.endpoints[source]
            if endpoint.namespace is None:
                continue
            with endpoint.namespace.entered():
                for request in group:
                    shots.append(self.start(volley, _shot(volley, endpoint, request, pingers)))
                    if len(shots) % _BREATHE == 0:
                        self.loop.turn(0)
        return shots

    def start(self, volley: Volley, shot: Shot) -> Shot:
        """To be called inside the sender's namespace."""
        volley.pending.add(shot)
        try:
            shot.start()
        except OSError as error:  # no socket to be had
            shot.settle(*outcomes.at_once(error.errno or 0))
        return shot

    def attend(self, volley: Volley) -> None:
        """Until all are settled or the deadline has passed: it counts from now, when the last request has just been sent."""
        begun = time.monotonic()
        repeats = [begun + part * volley.timeout for part in REPEATS]
        clock, now = begun, begun
        while volley.pending and now < begun + volley.timeout and not self.aborted():
            busy = self.loop.turn(min(_SLICE, begun + volley.timeout - now))
            now = time.monotonic()
            if repeats and now >= repeats[0]:
                repeats.pop(0)
                _each(volley, operator.methodcaller("again"))
            if now >= clock:
                clock = now + _SLICE
                _each(volley, operator.methodcaller("clock", now))
            if not busy:
                self.drain()
        _each(volley, operator.methodcaller("overdue"))

    def drain(self) -> None:
        """Nothing else to do: empty the captures, so that they cannot overflow."""
        for endpoint in self.endpoints.values():
            if endpoint.capture is not None:
                endpoint.capture.drain(_DRAIN)


def _each(volley: Volley, action: Callable[[Shot], object]) -> None:
    for shot in list(volley.pending):
        if not shot.outcome:
            action(shot)


def _by_source(request: ProbeRequest | NameRequest) -> str:
    return request.source


def _shot(volley: Volley, endpoint: Endpoint, request: ProbeRequest | NameRequest, pingers: dict[str, Pinger]) -> Shot:
    if isinstance(request, NameRequest):
        return NameShot(volley, endpoint, request.id, request.name, request.accepted, request.server)
    if request.protocol == "icmp":
        if endpoint.spec.id not in pingers:
            pingers[endpoint.spec.id] = Pinger(volley)
        return IcmpShot(volley, endpoint, request.id, request.address, pingers[endpoint.spec.id])
    kind = TcpShot if request.protocol == "tcp" else UdpShot
    return kind(volley, endpoint, request.id, request.address, request.port)


def _overflowed(shots: Sequence[Shot], before: int | None, after: int | None) -> bool:
    """The neighbour table was full: its counter rose, or somebody was told ENOBUFS."""
    if before is not None and after is not None and after > before:
        return True
    return any(outcomes.FULL in shot.detail for shot in shots)


def free_descriptors() -> int:
    """How many more this process may open, less a reserve."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] - len(os.listdir("/proc/self/fd")) - _RESERVE


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Thousands of long-lived objects at once: each collection in between would walk them all."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
