"""What follows for sizes: an overlay that tasks on two hosts may share carries packets as large as its own MTU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import FITS, Kind
from swarmlab.model.scenario import Container, Network, Service
from swarmlab.scenario.shared import shared_overlays


def sizes(
    services: Mapping[str, Service], networks: Mapping[str, Network], containers: Mapping[str, Container]
) -> Iterator[Expectation]:
    """One expectation per overlay that may have two tasks."""
    for key, network in shared_overlays(services, networks, containers):
        because = (
            f"tasks take {key}'s MTU for what they may send: "
            "a packet of that size has to pass between hosts in one piece"
        )
        yield Expectation(kind=Kind.MTU, expected=FITS, because=because, network=key, place=network.place)
