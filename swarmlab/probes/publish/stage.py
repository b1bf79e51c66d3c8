"""What Swarm itself promises, in a batch of its own: published ports as seen from outside, and virtual addresses that
reach every task.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

from swarmlab.agent.protocol.nonce import SPORT_FIRST, sport_offset
from swarmlab.model.evidence import Measurement, Outcome
from swarmlab.model.expectation import Expectation
from swarmlab.model.host import OUTSIDE
from swarmlab.model.kinds import Kind
from swarmlab.model.probe import Address, Endpoint, ProbePlan
from swarmlab.probes.publish import balance, mesh
from swarmlab.probes.publish.findings import publish_findings
from swarmlab.probes.publish.judge import port_checks, unmeasured
from swarmlab.probes.publish.plan import HostPort, HostPorts, Unmeasured, controls, inner_ports, probe_of, watched_ports
from swarmlab.probes.publish.published import Published
from swarmlab.probes.publish.run import PublishMeasurement, measure
from swarmlab.probes.session.endpoints import WORKLOADS, EndpointIndex
from swarmlab.probes.session.ports import free_port
from swarmlab.probes.stage import LabView, Results
from swarmlab.probes.traffic.facts import Facts
from swarmlab.scenario.names import PREDEFINED

NO_EXTERNAL_CLIENT = "this lab has no machine outside the Swarm; `swarmlab up` again makes one, if its provider can"
EPHEMERAL = 32768  # from here on Linux takes the source ports of whoever does not choose one


class Publish:
    """Every port that a service publishes, as the external client finds it, and virtual addresses that reach every
    task.
    """

    kinds = (Kind.PUBLISH,)
    settles = True

    def run(self, view: LabView, so_far: Results) -> Results:
        """See Stage. Needs what traffic has measured. Also judges, of kind vip, that every task behind an address
        answers.
        """
        assert so_far.facts is not None, "traffic comes first"
        facts, missing_features = so_far.facts, so_far.facts.measurement.missing_features
        index = EndpointIndex(view.scenario, _apart(view))
        host_ports, gaps = _expanded(view, index)
        asked = balance.askers(facts.plan)
        again = dict(enumerate(mesh.repeated(host_ports, missing_features), len(host_ports)))
        plan = _plan(view, index, host_ports, again)
        more = balance.connections(asked, facts.plan, missing_features, len(plan.probes), plan.port)
        plan = replace(plan, probes=(*plan.probes, *more))
        seen = _measured(view, facts.measurement, plan, again)
        published = Published(
            view.scenario,
            plan,
            seen,
            dict(enumerate(host_ports)),
            again,
            captures_work=_captures_work(facts),
            capture_missed=facts.measurement.capture_missed,
        )
        found, meshed = port_checks(published), mesh.mesh_checks(published)
        balanced = balance.balance_checks(Facts(view.scenario, plan, seen.measurement), asked)
        checks = (*(unmeasured(e, reason) for e, reason in gaps.items()), *found, *meshed, *balanced)
        return Results(checks=checks, findings=publish_findings(found, balanced, meshed))


def _expanded(view: LabView, index: EndpointIndex) -> tuple[list[HostPort], dict[Expectation, str]]:
    """The ports to try, and what cannot be tried, with the reason."""
    tried = HostPorts(index, view.ports).all(view.scenario.expectations)
    host_ports = [t for t in tried if isinstance(t, HostPort)]
    gaps: dict[Expectation, list[str]] = {}
    for t in tried:
        if isinstance(t, Unmeasured):
            gaps.setdefault(t.expectation, []).append(t.reason)
    if not view.external_client.address:
        gaps.update((host_port.expectation, [NO_EXTERNAL_CLIENT]) for host_port in host_ports)
        host_ports = []
    return host_ports, {e: "; ".join(dict.fromkeys(reasons)) for e, reasons in gaps.items()}


def _measured(
    view: LabView, measured: Measurement, plan: ProbePlan, again: Mapping[int, HostPort]
) -> PublishMeasurement:
    """A round of its own; none where there is nothing to try."""
    if not plan.probes:
        return PublishMeasurement(replace(measured, probes={}, names={}))
    client = view.external_client
    agents = {**view.agents, **({OUTSIDE: client.agent} if client.agent else {})}
    dead = {**measured.dead_hosts, **({OUTSIDE: client.dead} if client.dead else {})}
    return measure(plan, agents, dead, again)


def quiet_run(host_ports: int) -> str:
    """A random run whose host ports are all tried from source ports below the ephemeral range.

    Tasks' captures know a request by its ports alone, and here the destination is an application's: its own clients
    must not look like us.
    """
    room = max(1, EPHEMERAL - SPORT_FIRST - host_ports)
    return next(run for run in iter(lambda: secrets.token_hex(8), "") if sport_offset(run, 1) < room)


def _apart(view: LabView) -> list[Endpoint]:
    """Tasks in their host's own namespace see all that arrives at the host: they can neither vouch nor be told apart
    here.
    """
    networks = view.scenario.networks
    in_host = {
        service.name
        for service in view.scenario.services.values()
        if any(key in networks and networks[key].driver in PREDEFINED for key in service.networks)
    }
    return [e for e in view.endpoints if e.role in (*WORKLOADS, "host") and not (e.service and e.service in in_host)]


def _captures_work(facts: Facts) -> frozenset[str]:
    """Tasks that answered a TCP request of the main round which their capture saw as well."""
    measured = facts.measurement
    found = {
        p.id: p.target
        for p in facts.plan.probes
        if p.protocol == "tcp" and (p.target, "tcp") not in measured.capture_missed
    }
    return frozenset(
        e.responder for i, e in measured.probes.items() if e.outcome is Outcome.ANSWERED and e.responder == found.get(i)
    )


def _plan(
    view: LabView, index: EndpointIndex, host_ports: Sequence[HostPort], again: Mapping[int, HostPort]
) -> ProbePlan:
    outside = Endpoint(OUTSIDE, OUTSIDE, "outside", addresses=(Address(view.external_client.address, "underlay"),))
    endpoints = {**index.by_id, **({OUTSIDE: outside} if host_ports else {})}
    tasks = [e for e in endpoints.values() if e.role in WORKLOADS]
    inner = {e.id: ports for e in tasks if (ports := inner_ports(host_ports, e))}
    watched = {e.id: ports for e in endpoints.values() if (ports := watched_ports(host_ports, view.ports, e))}
    port = free_port({p for of in (inner, watched) for ports in of.values() for p in ports})
    addresses = {
        e.host: next(a.address for a in e.addresses if a.network == "underlay")
        for e in endpoints.values()
        if e.role == "host"
    }
    probes = [probe_of(id_, host_port, addresses) for id_, host_port in enumerate((*host_ports, *again.values()))]
    probes += controls(host_ports, len(probes), port, addresses)
    return ProbePlan(
        endpoints=endpoints,
        probes=tuple(probes),
        names=(),
        port=port,
        run=quiet_run(len(host_ports) + len(again)),
        timeout=view.timeout,
        extra_ports=inner,
        watched=watched,
    )
