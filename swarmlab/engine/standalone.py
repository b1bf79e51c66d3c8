"""What Compose cannot say: networks that are local to a host, and standalone containers pinned to hosts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from docker.errors import NotFound
from docker.types import IPAMConfig, IPAMPool

from swarmlab.engine.client import LABEL, Engine
from swarmlab.errors import SwarmRefused
from swarmlab.model.scenario import Container, LocalNetwork, Scenario
from swarmlab.remote import fan_out


def ensure_networks(engines: Mapping[str, Engine], scenario: Scenario, lab: str) -> None:
    """Make each node-local network on each of its hosts; what only an earlier file of the lab had there goes."""
    fan_out(engines, lambda engine: remove(engine, lab, keep=_pinned(scenario, engine.name)))
    for network in scenario.local_networks.values():
        fan_out({name: engines[name] for name in network.hosts}, partial(_ensure_network, network=network, lab=lab))


def ensure_containers(engines: Mapping[str, Engine], scenario: Scenario, stack: str, lab: str) -> None:
    """Make and start each standalone container on its host; its overlays must exist already."""
    fan_out(
        scenario.containers,
        lambda container: _ensure_container(engines[container.host], scenario, container, stack, lab),
    )


def inspect(engine: Engine, name: str) -> dict[str, Any] | None:
    """A container by its exact name, or None."""
    with engine.errors(f"inspect container {name}"):
        try:
            found: dict[str, Any] = engine.api.inspect_container(name)
        except NotFound:
            return None
        return found if found["Name"].lstrip("/") == name else None


def _pinned(scenario: Scenario, host: str) -> frozenset[str]:
    containers = {name for name, container in scenario.containers.items() if container.host == host}
    return frozenset(containers | {name for name, network in scenario.local_networks.items() if host in network.hosts})


def remove(engine: Engine, lab: str, keep: frozenset[str] = frozenset()) -> None:
    """Remove the lab's standalone containers and local networks from this host, all but those named in `keep`."""
    with engine.errors("remove the lab's containers and networks"):
        for container in engine.api.containers(all=True, filters={"label": f"{LABEL}={lab}"}):
            is_task = "com.docker.swarm.task.id" in container.get("Labels", {})
            if not is_task and container["Names"][0].lstrip("/") not in keep:
                engine.api.remove_container(container["Id"], force=True, v=True)
        for network in engine.api.networks(filters={"label": f"{LABEL}={lab}", "scope": "local"}):
            if network["Name"] not in keep:
                engine.api.remove_network(network["Id"])


def _owned(labels: Mapping[str, str] | None, lab: str, what: str, host: str) -> None:
    if (labels or {}).get(LABEL) != lab:
        raise SwarmRefused(
            f"{host}: {what} exists and was not made by lab {lab!r}; it is left alone",
            fix="rename yours, or the scenario's",
        )


def _ensure_network(engine: Engine, network: LocalNetwork, lab: str) -> None:
    with engine.errors(f"create network {network.name}"):
        for found in engine.api.networks(names=[network.name]):
            if found["Name"] == network.name:
                return _owned(found.get("Labels"), lab, f"network {network.name}", engine.name)
        ipam = IPAMConfig(pool_configs=[IPAMPool(subnet=network.subnet)]) if network.subnet else None
        engine.api.create_network(
            network.name, driver=network.driver, internal=network.internal, ipam=ipam, labels={LABEL: lab}
        )
    return None


def _ensure_container(engine: Engine, scenario: Scenario, container: Container, stack: str, lab: str) -> None:
    found = inspect(engine, container.name)
    if found is not None:
        _owned(found["Config"].get("Labels"), lab, f"container {container.name}", engine.name)
        if found["Config"]["Image"] == container.image and found["State"]["Running"]:
            return
        with engine.errors(f"replace container {container.name}"):
            engine.api.remove_container(container.name, force=True, v=True)
    with engine.errors(f"run container {container.name}"):
        _create(engine, scenario, container, stack, lab)
        engine.api.start(container.name)


def _create(engine: Engine, scenario: Scenario, container: Container, stack: str, lab: str) -> None:
    names = {
        key: key if key in scenario.local_networks else scenario.networks[key].deployed_as(stack)
        for key in container.networks
    }
    configs = {
        names[key]: engine.api.create_endpoint_config(ipv4_address=address or None)
        for key, address in container.networks.items()
    }
    first = next(iter(configs), "")
    engine.api.create_container(
        container.image,
        command=list(container.command) or None,
        name=container.name,
        hostname=container.name,
        labels={LABEL: lab},
        host_config=engine.api.create_host_config(
            network_mode=first or "none", restart_policy={"Name": "unless-stopped"}
        ),
        networking_config=engine.api.create_networking_config({first: configs[first]}) if first else None,
    )
    for key, address in list(container.networks.items())[1:]:
        engine.api.connect_container_to_network(container.name, names[key], ipv4_address=address or None)
