"""Keys of a service that mean something to `docker compose` only."""

from __future__ import annotations

from collections.abc import Iterator

from swarmlab.model.scenario import Scenario
from swarmlab.scenario.lint.document import NOT_CARRIED, mappings
from swarmlab.scenario.lint.rule import Warning_

IGNORED = {
    "network_mode": "Swarm ignores it; use `networks:`",
    "container_name": "Swarm ignores it: tasks are named by their service",
    "depends_on": "Swarm ignores the order; services start together",
    "links": "Swarm ignores it; a shared network is enough",
    "restart": "Swarm ignores it; use `deploy: restart_policy:`",
    "env_file": NOT_CARRIED,
    "build": "Swarm does not build; the image must exist",
}


def ignored_key(scenario: Scenario) -> Iterator[Warning_]:
    """Warn about each key that Swarm ignores, or for which it looks in the wrong place."""
    for name, keys in mappings(scenario, "services"):
        service = scenario.services.get(name)
        for key in sorted(IGNORED.keys() & keys.keys()):
            yield service.place if service else None, f"service {name}: {key}: {IGNORED[key]}"
