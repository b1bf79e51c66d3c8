"""What follows for sizes: an overlay that tasks on two hosts may share carries packets as large as its own MTU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from swarmlab.model.expectation import Expectation, Kind
from swarmlab.model.mtu import FITS
from swarmlab.model.scenario import Container, Network, Service

MANY = 2


def sizes(services: Mapping[str, Service], networks: Mapping[str, Network], containers: Mapping[str, Container]) -> Iterator[Expectation]:
    """One expectation per overlay that may have two tasks."""
    tasks: Counter[str] = Counter()
    for service in services.values():
        tasks.update(dict.fromkeys(service.networks, MANY if service.replicas is None else service.replicas))
    for container in containers.values():
        tasks.update(dict.fromkeys(container.networks, 1))
    for key, network in networks.items():
        if network.driver == "overlay" and tasks[key] >= MANY:
            because = f"tasks take {key}'s MTU for what they may send: a packet of that size has to pass between hosts in one piece"
            yield Expectation(Kind.MTU, FITS, because, network=key, mark=network.mark)
