"""What follows for the wire: an overlay that tasks on two hosts may share is encrypted there, or readable, as the file
declares it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import CLEAR, ENCRYPTED, Kind
from swarmlab.model.scenario import Container, Network, Service
from swarmlab.scenario.shared import shared_overlays

READABLE = "{} has no option `encrypted`: between hosts it is VXLAN that anybody on the underlay can read"
SECRET = "{} has the option `encrypted`: between hosts there must be ESP and nothing that anybody could read"  # noqa: S105


def wire(
    services: Mapping[str, Service], networks: Mapping[str, Network], containers: Mapping[str, Container]
) -> Iterator[Expectation]:
    """One expectation per overlay of the file that may have two tasks; what an external one is, the file does not
    say.
    """
    for key, network in shared_overlays(services, networks, containers):
        if not network.external:
            expected, because = (ENCRYPTED, SECRET) if network.encrypted else (CLEAR, READABLE)
            yield Expectation(
                kind=Kind.WIRE, expected=expected, because=because.format(key), network=key, place=network.place
            )
