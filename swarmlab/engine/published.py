"""Which ports the engine really publishes, and where. Only it knows what a file leaves to it (`published: 0`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from swarmlab.engine import stack
from swarmlab.engine.swarm import Swarm
from swarmlab.model.probe import PortInUse


def published(swarm: Swarm, lab: str) -> tuple[PortInUse, ...]:
    """Every port of the stack's services: ingress ports once, for all hosts; host ports once for each running task."""
    listed = stack.services(swarm.leader, lab)
    names = {s["ID"]: str(s["Spec"]["Name"]).removeprefix(f"{lab}_") for s in listed}
    found = [_port(names[s["ID"]], "", raw) for s in listed for raw in _ingress(s)]
    for task in stack.tasks(swarm.leader, listed):
        if task["DesiredState"] == "running" and task["Status"]["State"] == "running":
            ports = (task["Status"].get("PortStatus") or {}).get("Ports") or []
            found += [_port(names[task["ServiceID"]], swarm.host_of(task["NodeID"]), raw) for raw in ports]
    return tuple(found)


def _ingress(service: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    ports = (service.get("Endpoint") or {}).get("Ports") or []
    return (raw for raw in ports if raw.get("PublishMode", "ingress") == "ingress")


def _port(service: str, host: str, raw: Mapping[str, Any]) -> PortInUse:
    return PortInUse(
        service=service,
        protocol=str(raw.get("Protocol", "tcp")),
        published=int(raw.get("PublishedPort") or 0),
        target=int(raw["TargetPort"]),
        host=host,
    )
