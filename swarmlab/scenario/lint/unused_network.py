"""`docker stack deploy` creates only the networks that a service uses."""

from __future__ import annotations

from collections.abc import Iterator

from swarmlab.model.scenario import Scenario
from swarmlab.scenario.lint.rule import Warning_


def unused_network(scenario: Scenario) -> Iterator[Warning_]:
    """Warn about networks that no service and no container is on."""
    used = {key for name in (*scenario.services, *scenario.containers) for key in scenario.networks_of(name)}
    for network in scenario.networks.values():
        if network.key not in used:
            yield network.place, f"network {network.key}: nobody uses it, so it is not created and nothing is checked"
    for local in scenario.local_networks.values():
        if local.name not in used:
            yield local.place, f"local network {local.name}: no container is on it"
