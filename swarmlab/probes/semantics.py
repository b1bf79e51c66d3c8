"""What Swarm itself promises, in a volley of its own: published ports as seen from outside, and virtual addresses that reach every task."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from swarmlab.agent.protocol import SPORT_FIRST, sport_offset
from swarmlab.model.check import Check, Finding
from swarmlab.model.evidence import Measurement, Outcome
from swarmlab.model.expectation import Expectation
from swarmlab.model.host import OUTSIDE
from swarmlab.model.probe import Address, Endpoint, PortInUse, ProbePlan
from swarmlab.model.scenario import Scenario
from swarmlab.probes import balance, mesh
from swarmlab.probes.facts import Facts
from swarmlab.probes.judge_publish import Published, unmeasured
from swarmlab.probes.link import AgentLink
from swarmlab.probes.plan import free_port
from swarmlab.probes.publish_findings import publish_findings
from swarmlab.probes.publish_plan import Door, Doors, Unmeasured, controls, inner_ports, probe_of, watched_ports
from swarmlab.probes.publish_run import Seen, measure
from swarmlab.probes.roster import WORKLOADS, Roster
from swarmlab.scenario.names import PREDEFINED

NO_VANTAGE = "this lab has no machine outside the Swarm; `swarmlab up` again makes one, if its provider can"
EPHEMERAL = 32768  # from here on Linux takes the source ports of whoever does not choose one


@dataclass(frozen=True)
class Vantage:
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


def swarm_semantics(lab: Lab, vantage: Vantage) -> tuple[tuple[Check, ...], tuple[Finding, ...]]:
    """Plan, measure and judge; nothing is sent when nothing of this is expected."""
    roster = Roster(lab.scenario, _apart(lab))
    tried = Doors(roster, lab.in_use).all(lab.scenario.expectations)
    gaps: dict[Expectation, list[str]] = {}
    for t in tried:
        if isinstance(t, Unmeasured):
            gaps.setdefault(t.expectation, []).append(t.reason)
    doors = [t for t in tried if isinstance(t, Door)]
    if not vantage.address:
        gaps.update((door.expectation, [NO_VANTAGE]) for door in doors)
        doors = []
    checks = [unmeasured(e, "; ".join(dict.fromkeys(reasons))) for e, reasons in gaps.items()]
    asked = balance.askers(lab.plan)
    again = dict(enumerate(mesh.repeated(doors, lab.measured.lacks), len(doors)))
    plan = _plan(lab, roster, vantage, doors, again)
    plan = replace(plan, probes=(*plan.probes, *balance.connections(asked, lab.plan, lab.measured.lacks, len(plan.probes), plan.port)))
    agents = {**lab.agents, **({OUTSIDE: vantage.agent} if vantage.agent else {})}
    dead = {**lab.measured.dead_hosts, **({OUTSIDE: vantage.dead} if vantage.dead else {})}
    seen = measure(plan, agents, dead, again) if plan.probes else Seen(replace(lab.measured, probes={}, names={}))
    published = Published(lab.scenario, plan, seen, dict(enumerate(doors)), again, sighted=_sighted(lab), blind=lab.measured.blind)
    found, meshed = published.checks(), mesh.mesh_checks(published)
    balanced = balance.balance_checks(Facts(lab.scenario, plan, seen.measurement), asked)
    return (*checks, *found, *meshed, *balanced), publish_findings(found, balanced, meshed)


def quiet_run(doors: int) -> str:
    """A random run whose doors are all tried from source ports below the ephemeral range.

    Tasks' captures know a request by its ports alone, and here the destination is an application's: its own clients must not look like us.
    """
    room = max(1, EPHEMERAL - SPORT_FIRST - doors)
    return next(run for run in iter(lambda: secrets.token_hex(8), "") if sport_offset(run, 1) < room)


def _apart(lab: Lab) -> list[Endpoint]:
    """Tasks in their host's own namespace see all that arrives at the host: they can neither vouch nor be told apart here."""
    networks = lab.scenario.networks
    in_host = {
        service.name
        for service in lab.scenario.services.values()
        if any(key in networks and networks[key].driver in PREDEFINED for key in service.networks)
    }
    return [e for e in lab.endpoints if e.role in (*WORKLOADS, "host") and not (e.service and e.service in in_host)]


def _sighted(lab: Lab) -> frozenset[str]:
    """Tasks that answered a TCP request of the main run which their capture saw as well."""
    found = {p.id: p.target for p in lab.plan.probes if p.protocol == "tcp" and (p.target, "tcp") not in lab.measured.blind}
    return frozenset(e.responder for i, e in lab.measured.probes.items() if e.outcome is Outcome.ANSWERED and e.responder == found.get(i))


def _plan(lab: Lab, roster: Roster, vantage: Vantage, doors: Sequence[Door], again: Mapping[int, Door]) -> ProbePlan:
    outside = Endpoint(OUTSIDE, OUTSIDE, "outside", addresses=(Address(vantage.address, "underlay"),))
    endpoints = {**roster.by_id, **({OUTSIDE: outside} if doors else {})}
    tasks = [e for e in endpoints.values() if e.role in WORKLOADS]
    inner = {e.id: ports for e in tasks if (ports := inner_ports(doors, e))}
    watched = {e.id: ports for e in endpoints.values() if (ports := watched_ports(doors, lab.in_use, e))}
    port = free_port({p for of in (inner, watched) for ports in of.values() for p in ports})
    addresses = {e.host: next(a.address for a in e.addresses if a.network == "underlay") for e in endpoints.values() if e.role == "host"}
    probes = [probe_of(id_, door, addresses) for id_, door in enumerate((*doors, *again.values()))]
    probes += controls(doors, len(probes), port, addresses)
    return ProbePlan(endpoints, tuple(probes), (), port, quiet_run(len(doors) + len(again)), lab.plan.timeout, inner, watched)
