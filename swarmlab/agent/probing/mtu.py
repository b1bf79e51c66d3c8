"""Sizes: datagrams with DF and bulk transfers, all at once, and the host's counters of fragments."""

from __future__ import annotations

from swarmlab.agent.probing.batch import Batch
from swarmlab.agent.probing.bulk import BulkAttempt
from swarmlab.agent.probing.scheduler import Scheduler
from swarmlab.agent.probing.size_attempt import SizeAttempt
from swarmlab.agent.protocol.mtu import Fragments, Mtu, MtuAnswer, SizeResult, SizeSpec

SMALL_BULK = 64  # bytes of the transfer that shows that TCP works
PATIENCE = 4  # time-outs that a transfer may take as long as it moves: an emulated host that encrypts is slow

Attempts = tuple[SizeAttempt, list[BulkAttempt]]  # the transfers: of a few bytes, and of many; or none


def measure_mtu(scheduler: Scheduler, request: Mtu) -> MtuAnswer:
    """All size probes at once; without any, only the counters."""
    batch = Batch(scheduler.loop, scheduler.run, scheduler.port, request.timeout * PATIENCE)
    attempts = [_launch(scheduler, batch, request.timeout, spec) for spec in request.sizes]
    scheduler.attend(batch)
    return MtuAnswer(tuple(map(_result, attempts)), fragments())


def _launch(scheduler: Scheduler, batch: Batch, patience: float, spec: SizeSpec) -> Attempts | SizeResult:
    endpoint = scheduler.endpoints.get(spec.source)
    reason = endpoint.gone() if endpoint else f"no endpoint {spec.source!r} was opened here"
    if endpoint is None or endpoint.namespace is None or reason:
        return SizeResult(spec.id, reason)
    sizes = SizeAttempt(batch, endpoint, spec, patience)
    bulks = [
        BulkAttempt(batch, endpoint, spec.address, size, patience) for size in (SMALL_BULK, spec.bulk) if spec.bulk
    ]
    with endpoint.namespace.entered():
        for attempt in (sizes, *bulks):
            scheduler.start(batch, attempt)
    return sizes, bulks


def _result(found: Attempts | SizeResult) -> SizeResult:
    if isinstance(found, SizeResult):
        return found
    sizes, bulks = found
    return sizes.result(*(bulk.result() for bulk in bulks))


def fragments() -> Fragments:
    """The host's counters of IPv4 fragments: VXLAN's outer packets are among them."""
    try:
        with open("/proc/self/net/snmp", encoding="ascii") as file:
            names, values = (line.split() for line in file if line.startswith("Ip:"))
            found = {name: int(value) for name, value in zip(names[1:], values[1:])}  # noqa: B905  3.9 has no `strict`
    except (OSError, ValueError):
        return Fragments()
    return Fragments(found.get("ReasmReqds"), found.get("FragCreates"))
