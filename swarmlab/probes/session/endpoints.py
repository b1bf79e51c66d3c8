"""Who is who in a lab: endpoints by the service or standalone container that they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from swarmlab.model.probe import Address, Endpoint
from swarmlab.model.scenario import GATEWAY_BRIDGE, Scenario

WORKLOADS = ("task", "container")


def owner(endpoint: Endpoint) -> str:
    """The service or standalone container that expectations speak of."""
    return endpoint.service or endpoint.id


class EndpointIndex:
    """Endpoints of the workload, and all endpoints by id."""

    def __init__(self, scenario: Scenario, endpoints: Iterable[Endpoint]) -> None:
        self.scenario = scenario
        self.by_id: Mapping[str, Endpoint] = {e.id: e for e in endpoints}
        self._owned: dict[str, list[Endpoint]] = {}
        for endpoint in self.by_id.values():
            if endpoint.role in WORKLOADS:
                self._owned.setdefault(owner(endpoint), []).append(endpoint)

    def of(self, name: str) -> list[Endpoint]:
        """The tasks of a service, or the one standalone container of that name; [] when there are none."""
        return self._owned.get(name, [])

    def declared(self, name: str) -> int:
        """How many endpoints the file promises; 0 when it does not say (a global service)."""
        service = self.scenario.services.get(name)
        return 1 if service is None else service.replicas or 0

    def host_local(self, network: str) -> bool:
        """Whether the network ends at the host: the gateway bridge, and node-local networks."""
        return network == GATEWAY_BRIDGE or network in self.scenario.local_networks


def on_network(endpoint: Endpoint, network: str) -> list[Address]:
    """Its addresses on a network ("" : all), in its own order."""
    return [a for a in endpoint.addresses if not network or a.network == network]
