"""A connected lab, and what stages see of it: engines are asked where tasks run, which networks and ports there are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from swarmlab import probes
from swarmlab.engine import overlay
from swarmlab.engine.client import Engine
from swarmlab.engine.endpoints import discover
from swarmlab.engine.published import published
from swarmlab.engine.swarm import Swarm
from swarmlab.errors import HostError
from swarmlab.lab.agents import Agents
from swarmlab.model.evidence import NetworkEvidence
from swarmlab.model.host import Host, HostFacts
from swarmlab.model.probe import Endpoint
from swarmlab.model.scenario import Scenario


@dataclass(frozen=True, kw_only=True)
class ConnectedLab:
    """A lab whose hosts are connected. `outside` is its machine beside the Swarm, where it has one."""

    name: str
    scenario: Scenario
    engines: Mapping[str, Engine]
    swarm: Swarm
    agents: Agents
    outside: Host | None = None


def look(lab: ConnectedLab, unchanging: probes.LabView) -> probes.LabView:
    """The lab as it is now. `unchanging` has what does not depend on the moment."""
    found = discover(lab.engines, lab.swarm, lab.scenario, lab.name)
    names = {key: network.deployed_as(lab.name) for key, network in lab.scenario.networks.items()}
    networks = overlay.inspect_everywhere(lab.engines, names)
    subnets = {n.network: n.properties["subnets"].split(",") for n in networks if n.properties.get("subnets")}
    return replace(
        unchanging,
        scenario=counted(lab.scenario, found.desired),
        endpoints=probes.survey(found.endpoints, lab.agents.links, subnets),
        vips=found.vips,
        networks=(*networks, *_control(lab, found.endpoints)),
        ports=published(lab.swarm, lab.name),
    )


def counted(scenario: Scenario, desired: Mapping[str, int]) -> Scenario:
    """With the number of tasks that the Swarm wants of a global service, so that a missing one is missed."""
    services = {
        name: replace(service, replicas=desired.get(name, service.replicas)) if service.is_global else service
        for name, service in scenario.services.items()
    }
    return replace(scenario, services=services)


def data_port(swarm: Swarm) -> int:
    """Where the Swarm's VXLAN goes; an engine that does not say uses the usual one."""
    with contextlib.suppress(HostError):
        cluster = swarm.leader.info().get("Swarm", {}).get("Cluster") or {}
        return int(cluster.get("DataPathPort") or probes.DATA_PORT)
    return probes.DATA_PORT


def _control(lab: ConnectedLab, endpoints: Iterable[Endpoint]) -> Iterator[NetworkEvidence]:
    """The lab's own plain overlay, where it has tasks."""
    name = overlay.control_name(lab.name)
    if any(endpoint.role == "control" for endpoint in endpoints):
        with contextlib.suppress(HostError):  # not known, then it proves no capture
            yield overlay.seen_from(lab.swarm.leader, name, name)


def host_facts(lab: ConnectedLab, results: probes.Results) -> tuple[HostFacts, ...]:
    """What engines, and agents where they were asked, say of their hosts."""
    missing = results.facts.measurement.missing_features if results.facts else {}
    return tuple(
        HostFacts(
            name,
            engine.address,
            str(engine.version.get("Version", "")),
            str(engine.version.get("KernelVersion", "")),
            tuple(missing.get(name, ())),
        )
        for name, engine in lab.engines.items()
    )
