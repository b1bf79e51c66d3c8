"""Where probes can start and end: tasks, containers, the overlays' own namespaces, hosts, control tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swarmlab.engine import overlay, stack, standalone
from swarmlab.engine.client import LABEL, Engine
from swarmlab.engine.swarm import Swarm
from swarmlab.model.probe import Address, Endpoint
from swarmlab.model.scenario import GATEWAY_BRIDGE, Scenario
from swarmlab.remote import fan_out


@dataclass(frozen=True)
class HostView:
    """What one host's engine adds to what the Swarm tells.

    `gateways` are the addresses of its tasks on the gateway bridge, by the first 12 digits of the container's id;
    `paused` its paused containers; `own` the host's own addresses on local bridges.
    """

    gateways: Mapping[str, str]
    paused: frozenset[str]
    own: tuple[Address, ...]


@dataclass(frozen=True)
class Found:
    """The lab as it is now, ready to be probed.

    `vips` has the virtual address of (service, network); `desired` is how many tasks the Swarm wants of each service.
    """

    endpoints: tuple[Endpoint, ...]
    vips: Mapping[tuple[str, str], str]
    desired: Mapping[str, int]


def discover(engines: Mapping[str, Engine], swarm: Swarm, scenario: Scenario, lab: str) -> Found:
    """Everything that can take part in a measurement."""
    views = fan_out(engines, lambda engine: _view(engine, (*scenario.local_networks, GATEWAY_BRIDGE)))
    listed = stack.services(swarm.leader, lab)
    own = stack.own_services(swarm.leader, lab)
    keys = {network.deployed_as(lab): key for key, network in scenario.networks.items()}
    ids: dict[str, str] = {}
    gateways: dict[str, str] = {}
    endpoints: list[Endpoint] = []
    for task in stack.tasks(swarm.leader, [*listed, *own]):
        if task["DesiredState"] != "running" or task["Status"]["State"] != "running":
            continue
        for attachment in task.get("NetworksAttachments") or []:
            ids[attachment["Network"]["Spec"]["Name"]] = attachment["Network"]["ID"]
            gateways[attachment["Network"]["Spec"]["Name"]] = _gateway(attachment["Network"])
        endpoints.append(_task(task, swarm, listed, views, keys, lab))
    endpoints += _containers(engines, scenario, views, lab)
    endpoints += _bridges(endpoints, keys, ids, gateways)
    for name, engine in engines.items():
        addresses = (*views[name].own, Address(engine.address, "underlay"))
        endpoints.append(Endpoint(f"host:{name}", name, "host", addresses=addresses))
    desired = {str(s["Spec"]["Name"]).removeprefix(f"{lab}_"): int(s["ServiceStatus"]["DesiredTasks"]) for s in listed}
    return Found(tuple(endpoints), _vips(listed, keys, ids, lab), desired)


def _view(engine: Engine, local: tuple[str, ...]) -> HostView:
    with engine.errors("list its paused containers"):
        paused = frozenset(str(c["Id"]) for c in engine.api.containers(filters={"status": "paused"}))
    bridges = {name: overlay.inspect(engine, name) for name in local}
    own = tuple(
        Address(gateway, name) for name, found in bridges.items() if found and (gateway := overlay.gateway(found))
    )
    return HostView(overlay.gateway_addresses(bridges[GATEWAY_BRIDGE] or {}), paused, own)


def _task(
    task: Mapping[str, Any],
    swarm: Swarm,
    listed: list[dict[str, Any]],
    views: Mapping[str, HostView],
    keys: Mapping[str, str],
    lab: str,
) -> Endpoint:
    host = swarm.host_of(task["NodeID"])
    status = task["Status"].get("ContainerStatus") or {}
    container = str(status.get("ContainerID", ""))
    name = next((s["Spec"]["Name"] for s in listed if s["ID"] == task["ServiceID"]), "")
    service = name.removeprefix(f"{lab}_")
    addresses = [
        Address(str(raw).partition("/")[0], keys.get(a["Network"]["Spec"]["Name"], a["Network"]["Spec"]["Name"]))
        for a in task.get("NetworksAttachments") or []
        for raw in a.get("Addresses") or []
    ]
    view = views.get(host)
    if view and container[:12] in view.gateways:
        addresses.append(Address(view.gateways[container[:12]], GATEWAY_BRIDGE))
    return Endpoint(
        id=f"{service}.{task.get('Slot') or host}" if service else f"control@{host}",
        host=host,
        role="task" if service else "control",
        service=service,
        pid=int(status.get("PID", 0)),
        container=container,
        addresses=tuple(addresses),
        impaired="its container is paused" if view and container in view.paused else "",
    )


def _containers(
    engines: Mapping[str, Engine], scenario: Scenario, views: Mapping[str, HostView], lab: str
) -> list[Endpoint]:
    keys = {network.deployed_as(lab): key for key, network in scenario.networks.items()}
    endpoints = []
    for container in scenario.containers.values():
        found = standalone.inspect(engines[container.host], container.name) if container.host in engines else None
        if found is None or (found["Config"].get("Labels") or {}).get(LABEL) != lab:
            continue
        attached = (found["NetworkSettings"].get("Networks") or {}).items()
        addresses = [Address(str(n["IPAddress"]), keys.get(name, name)) for name, n in attached if n.get("IPAddress")]
        gateway = views[container.host].gateways.get(found["Id"][:12])
        if gateway:
            addresses.append(Address(gateway, GATEWAY_BRIDGE))
        state = found["State"]
        endpoints.append(
            Endpoint(
                id=container.name,
                host=container.host,
                role="container",
                service=container.name,
                pid=int(state.get("Pid", 0)),
                container=found["Id"],
                addresses=tuple(addresses),
                impaired=_impaired(state),
            )
        )
    return endpoints


def _impaired(state: Mapping[str, Any]) -> str:
    if state.get("Paused"):
        return "its container is paused"
    return "" if state.get("Running") else "its container does not run"


def _gateway(network: Mapping[str, Any]) -> str:
    return overlay.gateway({"IPAM": {"Config": (network.get("IPAMOptions") or {}).get("Configs")}})


def _bridges(
    endpoints: list[Endpoint], keys: Mapping[str, str], ids: Mapping[str, str], gateways: Mapping[str, str]
) -> list[Endpoint]:
    """An overlay's own namespace on each host that carries it.

    The engine keeps it in a file named 1- and the first 10 digits of the network's id.
    """
    names = {key: name for name, key in keys.items()}
    carried = sorted(
        {(a.network, e.host) for e in endpoints for a in e.addresses if names.get(a.network, a.network) in ids}
    )
    return [
        Endpoint(
            id=f"bridge:{network}@{host}",
            host=host,
            role="bridge",
            path=f"/var/run/docker/netns/1-{ids[names.get(network, network)][:10]}",
            addresses=(Address(gateways[names.get(network, network)], network),)
            if gateways[names.get(network, network)]
            else (),
        )
        for network, host in carried
    ]


def _vips(
    listed: list[dict[str, Any]], keys: Mapping[str, str], ids: Mapping[str, str], lab: str
) -> dict[tuple[str, str], str]:
    names = {id_: name for name, id_ in ids.items()}
    return {
        (service["Spec"]["Name"].removeprefix(f"{lab}_"), keys[names[vip["NetworkID"]]]): str(vip["Addr"]).partition(
            "/"
        )[0]
        for service in listed
        for vip in (service.get("Endpoint") or {}).get("VirtualIPs") or []
        if vip.get("Addr") and names.get(vip["NetworkID"]) in keys
    }
