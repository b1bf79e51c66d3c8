"""What Swarm itself promises, in a batch of its own: published ports as seen from outside, and virtual addresses that
reach every task.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from swarmlab.agent.protocol.nonce import SPORT_FIRST, sport_offset
from swarmlab.model.check import Check, Finding
from swarmlab.model.evidence import Measurement, Outcome
from swarmlab.model.expectation import Expectation
from swarmlab.model.host import OUTSIDE
from swarmlab.model.probe import Address, Endpoint, PortInUse, ProbePlan
from swarmlab.model.scenario import Scenario
from swarmlab.probes.publish import balance, mesh
from swarmlab.probes.publish.findings import publish_findings
from swarmlab.probes.publish.judge import Published, unmeasured
from swarmlab.probes.publish.plan import HostPort, HostPorts, Unmeasured, controls, inner_ports, probe_of, watched_ports
from swarmlab.probes.publish.run import Seen, measure
from swarmlab.probes.session.endpoints import WORKLOADS, EndpointIndex
from swarmlab.probes.session.link import AgentLink
from swarmlab.probes.traffic.facts import Facts
from swarmlab.probes.traffic.plan import free_port
from swarmlab.scenario.names import PREDEFINED

NO_EXTERNAL_CLIENT = "this lab has no machine outside the Swarm; `swarmlab up` again makes one, if its provider can"
EPHEMERAL = 32768  # from here on Linux takes the source ports of whoever does not choose one


@dataclass(frozen=True)
class ExternalClient:
    """The machine outside, as this run has it: its address and its agent, or why there is none."""

    address: str = ""
    agent: AgentLink | None = None
    dead: str = ""


@dataclass(frozen=True)
class Lab:
    """What the main run has found out already."""

    scenario: Scenario
    plan: ProbePlan
    endpoints: Sequence[Endpoint]
    in_use: Sequence[PortInUse]
    agents: Mapping[str, AgentLink]
    measured: Measurement


def swarm_semantics(lab: Lab, external_client: ExternalClient) -> tuple[tuple[Check, ...], tuple[Finding, ...]]:
    """Plan, measure and judge; nothing is sent when nothing of this is expected."""
    index = EndpointIndex(lab.scenario, _apart(lab))
    tried = HostPorts(index, lab.in_use).all(lab.scenario.expectations)
    gaps: dict[Expectation, list[str]] = {}
    for t in tried:
        if isinstance(t, Unmeasured):
            gaps.setdefault(t.expectation, []).append(t.reason)
    host_ports = [t for t in tried if isinstance(t, HostPort)]
    if not external_client.address:
        gaps.update((host_port.expectation, [NO_EXTERNAL_CLIENT]) for host_port in host_ports)
        host_ports = []
    checks = [unmeasured(e, "; ".join(dict.fromkeys(reasons))) for e, reasons in gaps.items()]
    asked = balance.askers(lab.plan)
    again = dict(enumerate(mesh.repeated(host_ports, lab.measured.missing_features), len(host_ports)))
    plan = _plan(lab, index, external_client, host_ports, again)
    plan = replace(
        plan,
        probes=(
            *plan.probes,
            *balance.connections(asked, lab.plan, lab.measured.missing_features, len(plan.probes), plan.port),
        ),
    )
    agents = {**lab.agents, **({OUTSIDE: external_client.agent} if external_client.agent else {})}
    dead = {**lab.measured.dead_hosts, **({OUTSIDE: external_client.dead} if external_client.dead else {})}
    seen = measure(plan, agents, dead, again) if plan.probes else Seen(replace(lab.measured, probes={}, names={}))
    published = Published(
        lab.scenario,
        plan,
        seen,
        dict(enumerate(host_ports)),
        again,
        sighted=_sighted(lab),
        capture_missed=lab.measured.capture_missed,
    )
    found, meshed = published.checks(), mesh.mesh_checks(published)
    balanced = balance.balance_checks(Facts(lab.scenario, plan, seen.measurement), asked)
    return (*checks, *found, *meshed, *balanced), publish_findings(found, balanced, meshed)


def quiet_run(host_ports: int) -> str:
    """A random run whose host ports are all tried from source ports below the ephemeral range.

    Tasks' captures know a request by its ports alone, and here the destination is an application's: its own clients
    must not look like us.
    """
    room = max(1, EPHEMERAL - SPORT_FIRST - host_ports)
    return next(run for run in iter(lambda: secrets.token_hex(8), "") if sport_offset(run, 1) < room)


def _apart(lab: Lab) -> list[Endpoint]:
    """Tasks in their host's own namespace see all that arrives at the host: they can neither vouch nor be told apart
    here.
    """
    networks = lab.scenario.networks
    in_host = {
        service.name
        for service in lab.scenario.services.values()
        if any(key in networks and networks[key].driver in PREDEFINED for key in service.networks)
    }
    return [e for e in lab.endpoints if e.role in (*WORKLOADS, "host") and not (e.service and e.service in in_host)]


def _sighted(lab: Lab) -> frozenset[str]:
    """Tasks that answered a TCP request of the main run which their capture saw as well."""
    found = {
        p.id: p.target
        for p in lab.plan.probes
        if p.protocol == "tcp" and (p.target, "tcp") not in lab.measured.capture_missed
    }
    return frozenset(
        e.responder
        for i, e in lab.measured.probes.items()
        if e.outcome is Outcome.ANSWERED and e.responder == found.get(i)
    )


def _plan(
    lab: Lab,
    index: EndpointIndex,
    external_client: ExternalClient,
    host_ports: Sequence[HostPort],
    again: Mapping[int, HostPort],
) -> ProbePlan:
    outside = Endpoint(OUTSIDE, OUTSIDE, "outside", addresses=(Address(external_client.address, "underlay"),))
    endpoints = {**index.by_id, **({OUTSIDE: outside} if host_ports else {})}
    tasks = [e for e in endpoints.values() if e.role in WORKLOADS]
    inner = {e.id: ports for e in tasks if (ports := inner_ports(host_ports, e))}
    watched = {e.id: ports for e in endpoints.values() if (ports := watched_ports(host_ports, lab.in_use, e))}
    port = free_port({p for of in (inner, watched) for ports in of.values() for p in ports})
    addresses = {
        e.host: next(a.address for a in e.addresses if a.network == "underlay")
        for e in endpoints.values()
        if e.role == "host"
    }
    probes = [probe_of(id_, host_port, addresses) for id_, host_port in enumerate((*host_ports, *again.values()))]
    probes += controls(host_ports, len(probes), port, addresses)
    return ProbePlan(
        endpoints, tuple(probes), (), port, quiet_run(len(host_ports) + len(again)), lab.plan.timeout, inner, watched
    )
