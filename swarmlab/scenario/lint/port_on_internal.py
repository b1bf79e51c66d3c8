"""A port in mode host needs the gateway bridge, which a task has only if one of its networks is not internal."""

from __future__ import annotations

from collections.abc import Iterator

from swarmlab.model.scenario import Scenario
from swarmlab.scenario.lint.rule import Warning_


def port_on_internal(scenario: Scenario) -> Iterator[Warning_]:
    """Warn about services that publish ports while all their networks are internal."""
    for service in scenario.services.values():
        known = [scenario.networks[key] for key in service.networks if key in scenario.networks]
        if service.ports and known and all(network.internal for network in known):
            yield service.place, f"service {service.name}: it publishes ports, but all its networks are internal"
