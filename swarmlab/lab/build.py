"""The bring-up, step by step: hosts, Swarm, images, stack, standalone things, control. Each step completes what it
finds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from swarmlab.engine import images, overlay, stack, standalone
from swarmlab.engine.client import Engine
from swarmlab.engine.endpoints import discover
from swarmlab.engine.swarm import Swarm, form
from swarmlab.events import Bus
from swarmlab.model.scenario import Scenario
from swarmlab.probes import uncovered_pairs
from swarmlab.providers.docker import image as node_image
from swarmlab.providers.images.stand_in import find_busybox, stand_in_archive
from swarmlab.remote import fan_out
from swarmlab.scenario import STAND_IN_IMAGE

BUILDERS = {STAND_IN_IMAGE: lambda: stand_in_archive(find_busybox(node_image.busybox))}


def form_swarm(engines: Mapping[str, Engine], lab: str, managers: int, bus: Bus, *, owned: bool) -> Swarm:
    """Phase `swarm`."""
    with bus.phase("swarm", f"{len(engines)} hosts, {managers} of them managers") as phase:
        return form(engines, lab, managers, phase, owned=owned)


def form_swarm_and_carry(
    engines: Mapping[str, Engine], scenario: Scenario, lab: str, bus: Bus, *, owned: bool, then: Callable[[], object]
) -> Swarm:
    """Phases `swarm` and `images` side by side, and `then` after the latter: a Swarm's first half second is mostly
    waiting.
    """

    def carried() -> None:
        carry(engines, scenario, bus)
        then()

    work: dict[str, Callable[[], object]] = {
        "swarm": lambda: form_swarm(engines, lab, scenario.managers, bus, owned=owned),
        "images": carried,
    }
    done = fan_out(work, lambda one: one())
    swarm = done["swarm"]
    assert isinstance(swarm, Swarm)
    return swarm


def carry(engines: Mapping[str, Engine], scenario: Scenario, bus: Bus) -> None:
    """Phase `images`."""
    with bus.phase("images") as phase:
        images.ensure(engines, scenario.images, BUILDERS, phase)


def deploy(engines: Mapping[str, Engine], swarm: Swarm, scenario: Scenario, lab: str, bus: Bus, *, wait: float) -> None:
    """Phase `stack`: everything of the scenario runs afterwards. Its images are on the hosts already."""
    leader = swarm.leader
    with bus.phase("stack") as phase:
        standalone.ensure_networks(engines, scenario, lab)
        stack.deploy(leader, lab, scenario.compose)
        standalone.ensure_containers(engines, scenario, lab, lab)
        stack.wait_running(leader, lambda: stack.services(leader, lab), phase, timeout=wait)
        stack.prune_networks(leader, lab, [network.deployed_as(lab) for network in scenario.networks.values()])


def ensure_control(
    engines: Mapping[str, Engine], swarm: Swarm, scenario: Scenario, lab: str, bus: Bus, *, wait: float
) -> None:
    """Phase `control`, only when some deny crosses a pair of hosts over which nothing of the scenario may pass."""
    leader = swarm.leader
    if stack.own_services(leader, lab) or not uncovered_pairs(
        scenario, discover(engines, swarm, scenario, lab).endpoints
    ):
        return
    with bus.phase("control") as phase:
        images.ensure(engines, (STAND_IN_IMAGE,), BUILDERS, phase)
        overlay.ensure_control(leader, lab, STAND_IN_IMAGE)
        stack.wait_running(leader, lambda: stack.own_services(leader, lab), phase, timeout=wait)
