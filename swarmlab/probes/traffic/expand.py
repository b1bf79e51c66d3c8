"""From expectations between services to single exchanges between endpoints, and to the gaps where nothing can be
measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from swarmlab.model.expectation import PROTOCOLS, Expectation
from swarmlab.model.kinds import ALLOW, Kind
from swarmlab.model.probe import Address, Endpoint
from swarmlab.model.scenario import GATEWAY_BRIDGE, INGRESS
from swarmlab.probes.session.endpoints import EndpointIndex, on_network, owner

Vips = Mapping[tuple[str, str], str]
TRAFFIC = frozenset({Kind.REACH, Kind.SCOPE, Kind.VIP})


@dataclass(frozen=True)
class Gap:
    """A part of an expectation that cannot be measured: between whom (endpoints, or whole services), and why."""

    expectation: Expectation
    source: str
    target: str
    reason: str


class Exchange(NamedTuple):
    """One packet exchange to try; `port` 0 is the run's own."""

    source: str
    target: str
    address: str
    network: str
    protocol: str
    port: int


def protocols(expectation: Expectation) -> tuple[str, ...]:
    """The protocols that it speaks of. ICMP has no ports, and IPVS does not answer it for a virtual address."""
    ported = expectation.port or expectation.kind is Kind.VIP
    wanted = (expectation.protocol,) if expectation.protocol else PROTOCOLS
    return tuple(p for p in wanted if p != "icmp" or not ported)


def pairs(expectation: Expectation, index: EndpointIndex) -> Iterator[tuple[Endpoint, Endpoint]]:
    """Every ordered pair of distinct endpoints."""
    for source in index.of(expectation.source):
        for target in index.of(expectation.target):
            if source.id != target.id:
                yield source, target


def exchanges(expectation: Expectation, index: EndpointIndex, vips: Vips) -> Iterator[Exchange]:
    """All that has to be tried for a reach, scope or vip expectation."""
    e, wanted = expectation, protocols(expectation)
    if e.kind is Kind.VIP:
        for (service, network), address in sorted(vips.items()):
            if service == e.target and e.network in ("", network):
                for source in index.of(e.source):
                    yield from (Exchange(source.id, service, address, network, p, e.port) for p in wanted)
        return
    for source, target in pairs(e, index):
        for a in _addresses(e, target, index):
            for protocol in wanted:
                yield Exchange(source.id, target.id, a.address, a.network, protocol, e.port)


def _addresses(expectation: Expectation, target: Endpoint, index: EndpointIndex) -> list[Address]:
    """A deny without a network means every address that the target has; an allow, those on the networks that the file
    gives it.

    All services that publish ports meet on Swarm's own ingress network, whatever the file says: that is no promise of
    its networks.
    """
    found = on_network(target, expectation.network)
    if expectation.network:
        return found
    if expectation.expected != ALLOW:
        return [a for a in found if a.network != INGRESS]
    return [a for a in found if a.network in index.scenario.networks_of(owner(target))]


def gaps(expectation: Expectation, index: EndpointIndex) -> Iterator[Gap]:
    """Where tasks or addresses are missing, so that some of the expectation is not measured."""
    e = expectation
    short = [text for name in dict.fromkeys((e.source, e.target)) for text in _shortfall(name, index)]
    if short:
        yield Gap(e, e.source, e.target, "; ".join(short))
    if e.kind not in (Kind.REACH, Kind.SCOPE):
        return
    for source, target in pairs(e, index):
        if not on_network(target, e.network) and not vacuous(e, target, index):
            yield Gap(
                e,
                source.id,
                target.id,
                f"{target.id} has no address{f' on {e.network}' if e.network else ''} that is known",
            )


def alone(expectation: Expectation, index: EndpointIndex) -> bool:
    """A service of one task has no one of its own to talk to: nothing is missing, nothing is measured."""
    own = (
        expectation.source == expectation.target
        and expectation.kind is not Kind.VIP
        and expectation.kind is not Kind.NAME
    )
    return own and len(index.of(expectation.source)) == 1 and index.declared(expectation.source) <= 1


def _shortfall(name: str, index: EndpointIndex) -> Iterator[str]:
    running, declared = len(index.of(name)), index.declared(name)
    if not running:
        yield f"{name} has no running task"
    elif running < declared:
        yield f"only {running} of {declared} tasks of {name} are running"


def vacuous(expectation: Expectation, target: Endpoint, index: EndpointIndex) -> bool:
    """Nothing can be sent to a task by a gateway bridge on which it provably is not: one that hangs on internal
    networks only.

    A task that can reach the outside has an address there; when none is known, something is missing and has to be said.
    """
    if expectation.network != GATEWAY_BRIDGE or expectation.expected == ALLOW or not target.addresses:
        return False
    declared = index.scenario.networks
    return all(
        (a.network in declared and declared[a.network].internal) or a.network in index.scenario.local_networks
        for a in target.addresses
    )
