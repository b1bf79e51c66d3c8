"""From a running lab to checks: find the endpoints, plan the probes, measure, judge."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from swarmlab import probes
from swarmlab.engine import overlay
from swarmlab.engine.client import Engine
from swarmlab.engine.endpoints import discover
from swarmlab.engine.published import published
from swarmlab.engine.swarm import Swarm
from swarmlab.events import Bus, Phase
from swarmlab.lab.agents import Agents
from swarmlab.lab.external_client import external_client
from swarmlab.lab.prove_wire import prove_wire
from swarmlab.model.check import Check, Finding, Verdict, worst_first
from swarmlab.model.evidence import Measurement
from swarmlab.model.host import Host, HostFacts
from swarmlab.model.kinds import DENY, Kind
from swarmlab.model.probe import Endpoint
from swarmlab.model.scenario import Scenario

SETTLE = 20.0  # seconds: gossip between engines converges within a few; see docs/architecture.md, "Settling"


@dataclass(frozen=True)
class Proof:
    """What was proven about a lab."""

    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]
    hosts: tuple[HostFacts, ...]
    attempts: int


def prove(
    engines: Mapping[str, Engine],
    agents: Agents,
    swarm: Swarm,
    scenario: Scenario,
    lab: str,
    bus: Bus,
    *,
    timeout: float,
    settle: float = 0.0,
    outside: Host | None = None,
    pcap: Path | None = None,
) -> Proof:
    """Measure once; with `settle`, again for that long while an allow is unmet and no deny is violated."""
    with ExitStack() as stack, bus.phase("proof") as phase:
        agents.start()
        links, dead = agents.links, agents.dead
        from_outside = external_client(outside, stack)
        give_up = time.monotonic() + settle
        attempts = 0
        while True:
            attempts += 1
            checks, findings, measured, endpoints = _once(
                engines, links, dead, swarm, scenario, lab, phase, timeout, from_outside
            )
            if not _worth_another(checks) or time.monotonic() > give_up:
                break
        more = probes.sizes(scenario, endpoints, links, measured, timeout=timeout)
        wired = prove_wire(
            engines, links, swarm, scenario, lab, endpoints, measured, timeout=timeout, bus=bus, pcap=pcap
        )
        checks, findings = (*checks, *more[0], *wired[0]), worst_first((*findings, *more[1], *wired[1]))
        return Proof(checks, findings, _facts(engines, links, measured), attempts)


def _once(
    engines: Mapping[str, Engine],
    links: Mapping[str, probes.SessionLink],
    dead: Mapping[str, str],
    swarm: Swarm,
    scenario: Scenario,
    lab: str,
    phase: Phase,
    timeout: float,
    from_outside: probes.ExternalClient,
) -> tuple[tuple[Check, ...], tuple[Finding, ...], Measurement, tuple[Endpoint, ...]]:
    found = discover(engines, swarm, scenario, lab)
    networks = overlay.inspect_everywhere(
        engines, {key: network.deployed_as(lab) for key, network in scenario.networks.items()}
    )
    subnets = {n.network: n.properties["subnets"].split(",") for n in networks if n.properties.get("subnets")}
    endpoints = probes.survey(found.endpoints, links, subnets)
    scenario = _counted(scenario, found.desired)
    plan = probes.plan(scenario, endpoints, vips=found.vips, timeout=timeout)
    phase(f"{len(plan.probes)} probes and {len(plan.names)} questions between {len(plan.endpoints)} endpoints")
    measured = probes.measure(plan, links, networks=networks, dead_hosts=dead, bus=Bus())
    checks = probes.judge(scenario, plan, measured)
    found_too = probes.findings(scenario, plan, measured, checks)
    known = probes.Lab(scenario, plan, endpoints, published(swarm, lab), links, measured)
    more, faults = probes.swarm_semantics(known, from_outside)
    return (*checks, *more), (*found_too, *faults), measured, endpoints


def _counted(scenario: Scenario, desired: Mapping[str, int]) -> Scenario:
    """With the number of tasks that the Swarm wants of a global service, so that a missing one is missed."""
    counted = {
        n: replace(s, replicas=desired.get(n, s.replicas)) if s.is_global else s for n, s in scenario.services.items()
    }
    return replace(scenario, services=counted)


def _worth_another(checks: tuple[Check, ...]) -> bool:
    """Only an allow that has not come yet is worth waiting for; a violated deny is never measured away."""
    failed = [check for check in checks if check.verdict is Verdict.FAIL]
    waiting = [check for check in failed if check.expected != DENY and check.kind != Kind.NETWORK]
    return bool(waiting) and len(waiting) == len(failed)


def _facts(
    engines: Mapping[str, Engine], links: Mapping[str, probes.SessionLink], measured: Measurement
) -> tuple[HostFacts, ...]:
    return tuple(
        HostFacts(
            name,
            engine.address,
            str(engine.version.get("Version", "")),
            str(engine.version.get("KernelVersion", "")),
            tuple(measured.missing_features.get(name, ())),
        )
        for name, engine in engines.items()
    )
