"""A batch from beginning to end: all sockets, all requests, one deadline."""

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
from typing import Union

from swarmlab.agent.kernel import neighbours
from swarmlab.agent.loop import Loop
from swarmlab.agent.probing import outcomes
from swarmlab.agent.probing.batch import Attempt, Batch
from swarmlab.agent.probing.endpoint import Endpoint
from swarmlab.agent.probing.evidence import dead_name, dead_probe, result
from swarmlab.agent.probing.icmp import IcmpAttempt, Pinger
from swarmlab.agent.probing.names import NameAttempt
from swarmlab.agent.probing.probe import ProbeAttempt
from swarmlab.agent.probing.tcp import TcpAttempt
from swarmlab.agent.probing.udp import UdpAttempt
from swarmlab.agent.protocol.probing import Fire, FireAnswer, NameResult, NameSpec, ProbeResult, ProbeSpec

REPEATS = (0.25, 0.5, 0.75)  # when UDP and ICMP are sent again, as parts of the time-out
_LOOK_UP = 32  # attempts between two looks at what has come in meanwhile
_SLICE = 0.02  # seconds between two looks at clocks and captures
_DRAIN = 2_000  # packets written down per capture when nothing else is to be done
_RESERVE = 256  # descriptors kept for the listeners' connections
_BATCH_MIN = 16

Spec = Union[ProbeSpec, NameSpec]  # noqa: UP007
_source = operator.attrgetter("source")


@dataclass
class Scheduler:
    """What every batch of this agent needs. `aborted` says that nobody waits for the answer any more."""

    loop: Loop
    endpoints: Mapping[str, Endpoint]
    run: str
    port: int
    aborted: Callable[[], bool]
    batches: int = 0
    senders: dict[str, str] = field(default_factory=dict)  # endpoint id -> "" or why it cannot send

    def fire(self, request: Fire) -> FireAnswer:
        """Everything at once, or in as few batches as descriptors allow, each with a deadline of its own."""
        self._prepare()
        full_before = neighbours.overflows()
        specs: list[Spec] = [*request.probes, *request.names]
        alive = [spec for spec in specs if not self._why_dead(spec.source)]
        attempts = [attempt for batch in self._batches(alive, request.timeout) for attempt in batch]
        return FireAnswer(
            tuple(self._probe_results(request.probes, attempts, full_before)),
            tuple(self._name_results(request.names, attempts)),
        )

    def _prepare(self) -> None:
        """Earlier packets must not vouch for this batch; senders that have gone since they were opened cannot send."""
        self.batches += 1
        self.senders = {name: endpoint.gone() for name, endpoint in self.endpoints.items()}
        for endpoint in self.endpoints.values():
            if endpoint.capture is not None:
                endpoint.capture.drain()
                endpoint.capture.index.forget()

    def _why_dead(self, source: str) -> str:
        return self.senders.get(source, f"no endpoint {source!r} was opened here")

    def _probe_results(
        self, probes: Sequence[ProbeSpec], attempts: Sequence[Attempt], full_before: int | None
    ) -> list[ProbeResult]:
        for endpoint in {id(s.endpoint): s.endpoint for s in attempts if s.outcome != outcomes.ANSWERED}.values():
            if endpoint.capture is not None:
                endpoint.capture.drain()
        full = _overflowed(attempts, full_before, neighbours.overflows())
        dead = [dead_probe(p.id, self._why_dead(p.source)) for p in probes if self._why_dead(p.source)]
        return dead + [result(attempt, full) for attempt in attempts if isinstance(attempt, ProbeAttempt)]

    def _name_results(self, names: Sequence[NameSpec], attempts: Sequence[Attempt]) -> list[NameResult]:
        dead = [dead_name(n.id, self._why_dead(n.source)) for n in names if self._why_dead(n.source)]
        return dead + [attempt.result() for attempt in attempts if isinstance(attempt, NameAttempt)]

    def _batches(self, specs: Sequence[Spec], timeout: float) -> Iterator[list[Attempt]]:
        size = max(_BATCH_MIN, free_descriptors())
        count = -(-len(specs) // size)
        for number in range(count):
            attempts = self._batch(specs[number * size : (number + 1) * size], timeout)
            for attempt in attempts if count > 1 else ():
                attempt.detail = (
                    f"{attempt.detail} (batch {number + 1} of {count}: too few file descriptors for one)".strip()
                )
            yield attempts

    def _batch(self, specs: Sequence[Spec], timeout: float) -> list[Attempt]:
        batch = Batch(self.loop, self.run, self.port, timeout, self.batches)
        pingers: dict[str, Pinger] = {}
        with _no_garbage_collection():
            attempts = self._launch(batch, specs, pingers)
            self.attend(batch)
        for pinger in pingers.values():
            pinger.close()
        return attempts

    def _launch(self, batch: Batch, specs: Sequence[Spec], pingers: dict[str, Pinger]) -> list[Attempt]:
        """Enter each sender's namespace once; look up now and then, so that answers are not kept waiting."""
        attempts: list[Attempt] = []
        for source, group in itertools.groupby(sorted(specs, key=_source), key=_source):
            endpoint = self.endpoints[source]
            if endpoint.namespace is None:
                continue
            with endpoint.namespace.entered():
                for spec in group:
                    attempts.append(self.start(batch, _attempt(batch, endpoint, spec, pingers)))
                    if len(attempts) % _LOOK_UP == 0:
                        self.loop.turn(0)
        return attempts

    def start(self, batch: Batch, attempt: Attempt) -> Attempt:
        """Start one attempt; to be called inside the sender's namespace."""
        batch.pending.add(attempt)
        try:
            attempt.start()
        except OSError as error:  # no socket to be had
            attempt.settle(*outcomes.at_once(error.errno or 0))
        return attempt

    def attend(self, batch: Batch) -> None:
        """Wait until all are settled or the deadline has passed. It counts from now: the last request has been sent."""
        begun = time.monotonic()
        repeats = [begun + part * batch.timeout for part in REPEATS]
        clock, now = begun, begun
        while batch.pending and now < begun + batch.timeout and not self.aborted():
            busy = self.loop.turn(min(_SLICE, begun + batch.timeout - now))
            now = time.monotonic()
            if repeats and now >= repeats[0]:
                repeats.pop(0)
                _each(batch, operator.methodcaller("again"))
            if now >= clock:
                clock = now + _SLICE
                _each(batch, operator.methodcaller("clock", now))
            if not busy:
                self.drain()
        _each(batch, operator.methodcaller("overdue"))

    def drain(self) -> None:
        """Nothing else to do: empty the captures, so that they cannot overflow."""
        for endpoint in self.endpoints.values():
            if endpoint.capture is not None:
                endpoint.capture.drain(_DRAIN)


def _each(batch: Batch, action: Callable[[Attempt], object]) -> None:
    for attempt in list(batch.pending):
        if not attempt.outcome:
            action(attempt)


def _attempt(batch: Batch, endpoint: Endpoint, spec: Spec, pingers: dict[str, Pinger]) -> Attempt:
    if isinstance(spec, NameSpec):
        return NameAttempt(batch, endpoint, spec)
    if spec.protocol == "icmp":
        if endpoint.spec.id not in pingers:
            pingers[endpoint.spec.id] = Pinger(batch)
        return IcmpAttempt(batch, endpoint, spec.id, spec.address, pingers[endpoint.spec.id])
    kind = TcpAttempt if spec.protocol == "tcp" else UdpAttempt
    return kind(batch, endpoint, spec.id, spec.address, spec.port)


def _overflowed(attempts: Sequence[Attempt], before: int | None, after: int | None) -> bool:
    """The neighbour table was full: its counter rose, or an attempt was told ENOBUFS."""
    if before is not None and after is not None and after > before:
        return True
    return any(outcomes.FULL in attempt.detail for attempt in attempts)


def free_descriptors() -> int:
    """How many more this process may open, less a reserve."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] - len(os.listdir("/proc/self/fd")) - _RESERVE


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """There are thousands of long-lived objects: each collection in between would walk them all."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
