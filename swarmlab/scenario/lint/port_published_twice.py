"""Each port of a host can be published by one service only."""

from __future__ import annotations

from collections.abc import Iterator

from swarmlab.model.scenario import Scenario
from swarmlab.scenario.lint.rule import Warning_


def port_published_twice(scenario: Scenario) -> Iterator[Warning_]:
    """Warn about a port that another service publishes already."""
    owners: dict[tuple[int, str], str] = {}
    for service in scenario.services.values():
        for port in service.ports:
            key = (port.published, port.protocol)
            if port.published and key in owners:
                text = f"port {port.published}/{port.protocol} is published by {owners[key]} already"
                yield service.place, f"service {service.name}: {text}"
            owners.setdefault(key, service.name)
