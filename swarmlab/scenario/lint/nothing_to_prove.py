"""Services about which a run says little or nothing."""

from __future__ import annotations

from collections.abc import Iterator

from swarmlab.model.scenario import Scenario
from swarmlab.scenario.lint.rule import Warning_
from swarmlab.scenario.names import PREDEFINED


def nothing_to_prove(scenario: Scenario) -> Iterator[Warning_]:
    """Warn about services without tasks, and about those on a network that every host has by itself."""
    for service in scenario.services.values():
        if service.replicas == 0:
            yield service.place, f"service {service.name}: it has no tasks (replicas: 0), so nothing is checked for it"
        elif any(key in scenario.networks and scenario.networks[key].driver in PREDEFINED for key in service.networks):
            text = "it is on its host's own network, so what it cannot reach is not checked"
            yield service.place, f"service {service.name}: {text}"
