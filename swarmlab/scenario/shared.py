"""Overlays that tasks on two hosts may share: what follows from a file for the way between hosts follows for these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from swarmlab.model.scenario import Container, Network, Service

MANY = 2


def shared_overlays(
    services: Mapping[str, Service], networks: Mapping[str, Network], containers: Mapping[str, Container]
) -> Iterator[tuple[str, Network]]:
    """Each overlay that may have two tasks, by its key in the file.

    A service in mode `global` has no number of replicas, but a task on each host.
    """
    tasks: Counter[str] = Counter()
    for service in services.values():
        tasks.update(dict.fromkeys(service.networks, MANY if service.replicas is None else service.replicas))
    for container in containers.values():
        tasks.update(dict.fromkeys(container.networks, 1))
    return ((key, network) for key, network in networks.items() if network.driver == "overlay" and tasks[key] >= MANY)
