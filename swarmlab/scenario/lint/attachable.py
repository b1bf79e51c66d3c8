"""Whoever can start a container on some node of the Swarm can join an attachable network."""

from __future__ import annotations

from collections.abc import Iterator

from swarmlab.model.scenario import Scenario
from swarmlab.scenario.lint.rule import Warning_


def attachable(scenario: Scenario) -> Iterator[Warning_]:
    """Warn about attachable networks that no standalone container of the file joins."""
    joined = {key for container in scenario.containers.values() for key in container.networks}
    for network in scenario.networks.values():
        if network.attachable and not network.external and network.key not in joined:
            text = "attachable lets any container on any node join it, and no container of this file does"
            yield network.place, f"network {network.key}: {text}"
