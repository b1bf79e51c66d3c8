"""Forms a Swarm out of engines: init on the first manager, join of the rest, labels. Run again, it completes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from swarmlab.engine.client import LABEL, Engine
from swarmlab.errors import SwarmRefused
from swarmlab.events import Phase
from swarmlab.model.host import numbered
from swarmlab.remote import fan_out
from swarmlab.remote.wait import until

# On nodes, for placement constraints: what a scenario's file calls the host (the first is host1, whatever its name).
HOST_LABEL = "swarmlab.host"
PORT = 2377


@dataclass(frozen=True)
class Swarm:
    """A formed Swarm: a manager's engine, which takes the orders, and the id of each host's node."""

    leader: Engine
    nodes: Mapping[str, str] = field(default_factory=dict)

    def host_of(self, node: str) -> str:
        """The host that is this node; "" for a node that is not of the lab."""
        return next((host for host, id_ in self.nodes.items() if id_ == node), "")


def form(engines: Mapping[str, Engine], lab: str, managers: int, phase: Phase, *, owned: bool) -> Swarm:
    """Make or complete the Swarm of `lab`; the first `managers` hosts manage it.

    `owned` says that the hosts themselves were made for this lab: only then may one of them be taken out of another
    Swarm. Else raises SwarmRefused where a host is in a Swarm of somebody else.
    """
    infos = fan_out(engines, lambda engine: engine.info()["Swarm"])
    leader = _ours(engines, infos, lab)
    members = _members(leader) if leader else set()
    strangers = [
        n for n, info in infos.items() if info["LocalNodeState"] != "inactive" and info.get("NodeID") not in members
    ]
    if strangers and not owned:
        raise SwarmRefused(
            f"{', '.join(strangers)}: already in a Swarm that lab {lab!r} did not make; it is left alone",
            fix="give hosts that are in no Swarm, or take them out of theirs yourself (`docker swarm leave`)",
        )
    fan_out({name: engines[name] for name in strangers}, _leave)
    if leader is None:
        leader = engines[next(iter(engines))]
        phase(f"init on {leader.name}", 0, len(engines))
        _init(leader, lab)
    free = {*strangers, *(n for n, info in infos.items() if info["LocalNodeState"] == "inactive")}
    joining = {n: e for n, e in engines.items() if n in free and e is not leader}
    _join_all(leader, joining, set(list(engines)[:managers]))
    nodes = fan_out(engines, lambda engine: str(engine.info()["Swarm"]["NodeID"]))
    _wait_ready(leader, nodes, phase)
    _label(leader, nodes, set(list(engines)[:managers]))
    return Swarm(leader, nodes)


def find(engines: Mapping[str, Engine], lab: str) -> Swarm | None:
    """The Swarm of this lab as it is; None when none of these hosts manages it."""
    infos = fan_out(engines, lambda engine: engine.info()["Swarm"])
    leader = _ours(engines, infos, lab)
    return Swarm(leader, {name: str(info.get("NodeID", "")) for name, info in infos.items()}) if leader else None


def _ours(engines: Mapping[str, Engine], infos: Mapping[str, Any], lab: str) -> Engine | None:
    for name, info in infos.items():
        if info["LocalNodeState"] == "active" and info.get("ControlAvailable"):
            with engines[name].errors("describe its Swarm"):
                spec = engines[name].api.inspect_swarm()["Spec"]
            if (spec.get("Labels") or {}).get(LABEL) == lab:
                return engines[name]
    return None


def _members(leader: Engine) -> set[str]:
    with leader.errors("list its nodes"):
        return {str(node["ID"]) for node in leader.api.nodes()}


def _leave(engine: Engine) -> None:
    with engine.errors("leave its Swarm"):
        engine.api.leave_swarm(force=True)


def _init(engine: Engine, lab: str) -> None:
    with engine.errors("start a Swarm"):
        spec = engine.api.create_swarm_spec(labels={LABEL: lab})
        engine.api.init_swarm(
            advertise_addr=f"{engine.address}:{PORT}",
            listen_addr=f"{engine.address}:{PORT}",
            data_path_addr=engine.address,
            swarm_spec=spec,
        )


def _join_all(leader: Engine, joining: Mapping[str, Engine], managers: set[str]) -> None:
    """Join these hosts. The tokens travel inside the Engine API, inside SSH: they are in no argv, log or file."""
    if not joining:
        return
    with leader.errors("give out its join tokens"):
        tokens = leader.api.inspect_swarm()["JoinTokens"]

    def join(engine: Engine) -> None:
        role = "Manager" if engine.name in managers else "Worker"
        with engine.errors(
            f"join the Swarm of {leader.name}",
            fix=f"port {PORT}/tcp of {leader.address} must be open from {engine.address}",
        ):
            engine.api.join_swarm(
                remote_addrs=[f"{leader.address}:{PORT}"],
                join_token=tokens[role],
                listen_addr=f"{engine.address}:{PORT}",
                advertise_addr=f"{engine.address}:{PORT}",
                data_path_addr=engine.address,
            )

    # Managers join one after the other: each changes the quorum that the next one needs.
    for name in [n for n in joining if n in managers]:
        join(joining[name])
    fan_out({n: e for n, e in joining.items() if n not in managers}, join)


def _wait_ready(leader: Engine, nodes: Mapping[str, str], phase: Phase) -> None:
    states: dict[str, str] = {}

    def ready() -> bool | None:
        with leader.errors("list its nodes"):
            states.update({str(n["ID"]): str(n["Status"]["State"]) for n in leader.api.nodes()})
        up = sum(states.get(id_) == "ready" for id_ in nodes.values())
        phase(f"{up} of {len(nodes)} nodes ready", up, len(nodes))
        return up == len(nodes) or None

    def last() -> str:
        return ", ".join(f"{name} {states.get(id_, 'unknown')}" for name, id_ in nodes.items())

    until(ready, "all nodes of the Swarm are ready", timeout=60, interval=0.1, last=last)


def _label(leader: Engine, nodes: Mapping[str, str], managers: set[str]) -> None:
    """Set the labels and roles that are missing: labels of others stay, a worker may be promoted, nobody is demoted."""
    with leader.errors("label its nodes"):
        for (name, id_), label in zip(nodes.items(), numbered(len(nodes)), strict=True):
            node = leader.api.inspect_node(id_)
            labels = node["Spec"].get("Labels") or {}
            role = "manager" if name in managers else node["Spec"]["Role"]
            if labels.get(HOST_LABEL) != label or role != node["Spec"]["Role"]:
                spec = {**node["Spec"], "Labels": {**labels, HOST_LABEL: label}, "Role": role}
                leader.api.update_node(id_, node["Version"]["Index"], spec)
