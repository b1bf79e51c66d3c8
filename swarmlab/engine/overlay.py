"""Overlays as engines have them, and the lab's own control overlay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from docker.errors import NotFound
from docker.types import ContainerSpec, EndpointSpec, NetworkAttachmentConfig, RestartPolicy, ServiceMode, TaskTemplate

from swarmlab.engine.client import LABEL, Engine
from swarmlab.model.evidence import NetworkEvidence
from swarmlab.model.expectation import option
from swarmlab.remote import fan_out

CONTROL = "swarmlab-control"


def control_name(lab: str) -> str:
    """The name of the lab's own overlay, and of the global service on it.

    >>> control_name("shop")
    'swarmlab-control-shop'
    """
    return f"{CONTROL}-{lab}"


def inspect(engine: Engine, name: str) -> dict[str, Any] | None:
    """The network of exactly this name; None when the host does not have it.

    The engine also answers with a network whose id is, or begins with, what was asked for: such an answer is not taken.
    """
    with engine.errors(f"inspect network {name}"):
        try:
            found: dict[str, Any] = engine.api.inspect_network(name)
        except NotFound:
            return None
        return found if found["Name"] == name else None


def seen_from(engine: Engine, key: str, name: str) -> NetworkEvidence:
    """How this host's engine describes the network that the file calls `key`, and the engine `name`."""
    found = inspect(engine, name)
    if found is None:
        return NetworkEvidence(key, engine.name, found=False)
    return NetworkEvidence(key, engine.name, True, str(found["Id"]), properties(found))


def properties(network: Mapping[str, Any]) -> dict[str, str]:
    """An inspected network in the words of expectations.

    >>> properties({"Driver": "overlay", "Scope": "swarm", "Internal": True, "Attachable": False,
    ...             "Options": {"encrypted": ""}, "IPAM": {"Config": [{"Subnet": "10.9.0.0/24"}]}})["encrypted"]
    'true'
    """
    options = dict(network.get("Options") or {})
    subnets = [str(c["Subnet"]) for c in (network.get("IPAM") or {}).get("Config") or []]
    return {
        "driver": str(network["Driver"]),
        "scope": str(network["Scope"]),
        "internal": str(bool(network["Internal"])).lower(),
        "attachable": str(bool(network["Attachable"])).lower(),
        "encrypted": str("encrypted" in options).lower(),
        "subnets": ",".join(sorted(subnets)),
        **{option(key): str(value) for key, value in options.items()},
    }


def gateway_addresses(bridge: Mapping[str, Any]) -> dict[str, str]:
    """Of the inspected gateway bridge: the first 12 digits of a container's id -> its address there."""
    containers = (bridge.get("Containers") or {}).items()
    pairs = [
        (str(container)[:12], str(endpoint["IPv4Address"]).partition("/")[0]) for container, endpoint in containers
    ]
    return {container: address for container, address in pairs if address}


def gateway(network: Mapping[str, Any]) -> str:
    """The gateway address of an inspected network, "" if it has none."""
    configs = (network.get("IPAM") or {}).get("Config") or []
    return next((str(c["Gateway"]) for c in configs if c.get("Gateway")), "")


def ensure_control(leader: Engine, lab: str, image: str) -> None:
    """One idle task per host, on an overlay of the lab's own.

    It shows that VXLAN crosses between two hosts where the scenario has no pair of tasks that may reach each other.
    """
    name = control_name(lab)
    labels = {LABEL: lab}
    with leader.errors("create the lab's control network"):
        if inspect(leader, name) is None:
            leader.api.create_network(name, driver="overlay", labels=labels, check_duplicate=True)
        if not leader.api.services(filters={"name": name}):
            spec = ContainerSpec(image=image, labels=labels)
            template = TaskTemplate(
                spec, networks=[NetworkAttachmentConfig(name)], restart_policy=RestartPolicy(condition="any")
            )
            leader.api.create_service(
                template, name=name, labels=labels, mode=ServiceMode("global"), endpoint_spec=EndpointSpec(mode="dnsrr")
            )


def inspect_everywhere(engines: Mapping[str, Engine], names: Mapping[str, str]) -> tuple[NetworkEvidence, ...]:
    """Each network (key -> engine's name) as each host sees it."""
    found = fan_out(engines, lambda engine: [seen_from(engine, key, name) for key, name in names.items()])
    return tuple(evidence for per_host in found.values() for evidence in per_host)
