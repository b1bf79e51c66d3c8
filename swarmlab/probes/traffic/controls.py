"""Controls for denies: an answer that must come, to and from each endpoint that a deny speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from swarmlab.model.expectation import PROTOCOLS
from swarmlab.model.probe import Address, Endpoint
from swarmlab.model.scenario import INGRESS
from swarmlab.probes.session.endpoints import EndpointIndex
from swarmlab.probes.traffic.expand import Exchange


def controls(denied: Iterable[Exchange], index: EndpointIndex) -> Iterator[Exchange]:
    """For both ends of every deny: its bridge or host to each of its addresses, and it to its bridge or host; then the
    pairs of hosts.
    """
    denied = list(denied)
    for id_ in dict.fromkeys(end for x in denied for end in (x.source, x.target)):
        endpoint = index.by_id.get(id_)
        if endpoint is not None:
            for address in endpoint.addresses:
                if address.network == INGRESS:
                    continue  # the engine's rules in each task let only published ports pass there
                yield from _beside(endpoint, address, index)
    for x in dict.fromkeys((x.target, x.address, x.network, x.protocol, x.port) for x in denied if x.port):
        beside = _neighbour(index.by_id.get(x[0]), x[2], index)
        if beside is not None:
            yield Exchange(beside.id, *x)
    yield from _host_pairs(index)


def _neighbour(endpoint: Endpoint | None, network: str, index: EndpointIndex) -> Endpoint | None:
    """The endpoint on its own host that may always reach it on that network."""
    if endpoint is None:
        return None
    bridge = index.by_id.get(f"bridge:{network}@{endpoint.host}")
    return bridge or (index.by_id.get(f"host:{endpoint.host}") if index.host_local(network) else None)


def _beside(endpoint: Endpoint, address: Address, index: EndpointIndex) -> Iterator[Exchange]:
    beside = _neighbour(endpoint, address.network, index)
    if beside is None:
        return
    # A host answers its own bridges at any of its addresses; the overlay's namespace only at the gateway's.
    back = [a for a in beside.addresses if a.network == address.network] or list(beside.addresses[:1])
    for protocol in PROTOCOLS:
        yield Exchange(beside.id, endpoint.id, address.address, address.network, protocol, 0)
        for a in back:
            yield Exchange(endpoint.id, beside.id, a.address, a.network, protocol, 0)


def _host_pairs(index: EndpointIndex) -> Iterator[Exchange]:
    """Between the lab's own tasks, one per host, over the lab's own overlay: shows that VXLAN crosses."""
    own = [e for e in index.by_id.values() if e.role == "control"]
    for source in own:
        for target in own:
            if source.id == target.id:
                continue
            for a in target.addresses:
                if not index.host_local(a.network):
                    yield from (Exchange(source.id, target.id, a.address, a.network, p, 0) for p in PROTOCOLS)
