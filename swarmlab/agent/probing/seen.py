"""The target's side: what its capture saw, and whether its listeners are alive now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from swarmlab.agent.probing.batch import Batch
from swarmlab.agent.probing.endpoint import Endpoint
from swarmlab.agent.probing.packet_index import key_of
from swarmlab.agent.probing.probe import ProbeAttempt
from swarmlab.agent.probing.scheduler import Scheduler
from swarmlab.agent.probing.tcp import TcpAttempt
from swarmlab.agent.probing.udp import UdpAttempt
from swarmlab.agent.protocol.probing import Seen, SeenAnswer, SeenResult, SeenSpec

SELF_CHECK = 0xFFFFFFFF  # the probe id of an agent that talks to its own listener
_PATIENCE = 1.0  # seconds that a listener gets to answer from within its own namespace


def seen(scheduler: Scheduler, request: Seen) -> SeenAnswer:
    """After this, a new round begins: packets seen so far do not count for the next batch."""
    captures = [endpoint.capture for endpoint in scheduler.endpoints.values() if endpoint.capture is not None]
    for capture in captures:
        capture.drain()
    answer = SeenAnswer(
        tuple(_lookup(scheduler.endpoints.get(spec.target), spec) for spec in request.probes),
        listeners(scheduler, sorted({spec.target for spec in request.probes})),
    )
    for capture in captures:
        capture.index.round += 1
    return answer


def _lookup(endpoint: Endpoint | None, spec: SeenSpec) -> SeenResult:
    if endpoint is None or endpoint.capture is None:
        return SeenResult(spec.id)
    capture = endpoint.capture
    key = key_of(spec.protocol, spec.id, spec.sport, spec.port)
    answer_left = capture.found(capture.index.answered, key)
    if not answer_left and spec.protocol == "udp" and spec.sport:  # an application's answer is known by its ports
        answer_left = capture.found(capture.index.answered, (17, spec.sport, spec.port))
    return SeenResult(spec.id, capture.found(capture.index.seen, key), answer_left, capture.lost)


def listeners(scheduler: Scheduler, targets: Sequence[str]) -> dict[str, str]:
    """Each target's listeners: "" when TCP and UDP both answer from within, else why they do not."""
    found = {target: _gone(scheduler.endpoints, target) for target in targets}
    alive = {target: scheduler.endpoints[target] for target in targets if not found[target]}
    found.update(check(scheduler, dict.fromkeys(alive, "127.0.0.1")))
    # Without loopback, or with a firewall on it, one's own address may still do.
    own = {target: _own_address(alive[target]) for target in alive if found[target]}
    found.update(check(scheduler, {target: address for target, address in own.items() if address}))
    return found


def check(scheduler: Scheduler, addresses: Mapping[str, str]) -> dict[str, str]:
    """Ask each endpoint's own listeners at the given address of its own."""
    batch = Batch(scheduler.loop, scheduler.run, scheduler.port, _PATIENCE, scheduler.batches)
    attempts = [
        attempt for target, address in addresses.items() for attempt in _pair(scheduler, batch, target, address)
    ]
    scheduler.attend(batch)
    found: dict[str, str] = dict.fromkeys(addresses, "")
    for attempt in attempts:
        if attempt.responder != attempt.endpoint.spec.id and not found[attempt.endpoint.spec.id]:
            found[attempt.endpoint.spec.id] = f"{attempt.protocol} listener: {attempt.outcome} {attempt.detail}".strip()
    return found


def _pair(scheduler: Scheduler, batch: Batch, target: str, address: str) -> list[ProbeAttempt]:
    endpoint = scheduler.endpoints[target]
    attempts: list[ProbeAttempt] = [
        kind(batch, endpoint, SELF_CHECK, address, scheduler.port) for kind in (TcpAttempt, UdpAttempt)
    ]
    if endpoint.namespace is not None:
        with endpoint.namespace.entered():
            for attempt in attempts:
                scheduler.start(batch, attempt)
    return attempts


def _gone(endpoints: Mapping[str, Endpoint], target: str) -> str:
    endpoint = endpoints.get(target)
    return endpoint.gone() if endpoint is not None else f"no endpoint {target!r} was opened here"


def _own_address(endpoint: Endpoint) -> str:
    addresses = (text.split("/")[0] for texts in endpoint.interfaces.values() for text in texts)
    return next((address for address in addresses if ":" not in address), "")
