"""Indexes over one run, built once: who was reached by whom, which pairs of hosts carried traffic, who was alive."""

from __future__ import annotations

from swarmlab.model.check_evidence.control import Control
from swarmlab.model.evidence import Evidence, Measurement, Outcome
from swarmlab.model.ids import exchange
from swarmlab.model.kinds import ALLOW, Kind
from swarmlab.model.probe import Probe, ProbePlan
from swarmlab.model.scenario import Scenario
from swarmlab.probes.session.endpoints import EndpointIndex

MISSING = Evidence(-1, Outcome.SENDER_DEAD, detail="nothing was measured")
NEIGHBOURS = "neighbour table"  # in the detail of a send error
EndpointPort = tuple[str, str, int]  # endpoint or service, protocol, port
AddressPort = tuple[str, str, str, int]  # endpoint, address, protocol, port


class Facts:
    """What follows from a measurement without yet judging any expectation."""

    def __init__(self, scenario: Scenario, plan: ProbePlan, measurement: Measurement) -> None:
        self.scenario, self.plan, self.measurement = scenario, plan, measurement
        self.index = EndpointIndex(scenario, plan.endpoints.values())
        self.overlays = {key for key, network in scenario.networks.items() if network.driver == "overlay"}
        # Who may reach, or send (an allow expectation exists), and the first such probe that did.
        self.may_reach: set[EndpointPort] = set()
        self.may_send: set[EndpointPort] = set()
        self.reached: dict[EndpointPort, Probe] = {}
        self.sent: dict[EndpointPort, Probe] = {}
        self.reached_at: dict[AddressPort, Probe] = {}
        self.beside: dict[AddressPort, list[Probe]] = {}  # controls to one address
        self.sent_beside: dict[EndpointPort, list[Probe]] = {}  # controls from one endpoint
        self.carried: dict[frozenset[str], Probe] = {}
        # Hosts whose kernel had no room for neighbours: it drops answers as silently as requests.
        self.overflowed: set[str] = set()
        self._order = _order(plan)
        for probe in plan.probes:
            self._index(probe, measurement.probes.get(probe.id, MISSING))

    def evidence(self, probe: Probe) -> Evidence:
        """What was measured; a probe without evidence has a dead sender."""
        return self.measurement.probes.get(probe.id, MISSING)

    def host(self, id_: str) -> str:
        """Where an endpoint is, "" for a virtual address."""
        endpoint = self.plan.endpoints.get(id_)
        return endpoint.host if endpoint else ""

    def is_target(self, probe: Probe, responder: str) -> bool:
        """Whether this responder is whom the probe means: behind a virtual address, any task of the service."""
        if probe.target in self.plan.endpoints:
            return responder == probe.target
        endpoint = self.plan.endpoints.get(responder)
        return endpoint is not None and endpoint.service == probe.target

    def answered(self, probe: Probe, evidence: Evidence) -> bool:
        """Answered by the target itself."""
        return evidence.outcome is Outcome.ANSWERED and self.is_target(probe, evidence.responder)

    def targets(self, probe: Probe) -> list[str]:
        """The endpoints that the probe may arrive at."""
        return [probe.target] if probe.target in self.plan.endpoints else [e.id for e in self.index.of(probe.target)]

    def unsound(self, id_: str) -> str:
        """Why an endpoint cannot vouch for anything; "" when it can."""
        endpoint = self.plan.endpoints.get(id_)
        if endpoint is None:
            return f"{id_} is not known"
        m = self.measurement
        if endpoint.host in m.dead_hosts:
            return f"the agent on {endpoint.host} is gone ({m.dead_hosts[endpoint.host]})"
        reason = m.dead_endpoints.get(id_) or endpoint.impaired
        return f"{id_} cannot vouch for anything ({reason})" if reason else ""

    def unmeasured(self, probe: Probe, evidence: Evidence) -> str:
        """Why nothing was measured; "" when the sender's kernel took the packet and the target's listener was alive."""
        who = {
            Outcome.SENDER_DEAD: probe.source,
            Outcome.SEND_ERROR: probe.source,
            Outcome.LISTENER_DEAD: probe.target,
        }.get(evidence.outcome)
        why = evidence.detail or "no reason given"
        return f"{who}: {str(evidence.outcome).replace('_', ' ')} ({why})" if who else ""

    def without_ipvs(self, probe: Probe) -> str:
        """The hosts involved whose kernel has no IPVS, in words; "" when all have it."""
        hosts = dict.fromkeys([self.host(probe.source), *(self.host(t) for t in self.targets(probe))])
        without = [h for h in hosts if Kind.VIP.row.feature in self.measurement.missing_features.get(h, ())]
        if not without:
            return ""
        return f"the kernel of {', '.join(without)} has no IP_VS, so virtual addresses do not work there"

    def exchange(self, probe: Probe) -> str:
        """The probe's exchange as ids name it: without addresses, and so the same in every run."""
        return exchange(
            probe.source,
            probe.target,
            probe.network,
            probe.protocol,
            port=probe.port if probe.port != self.plan.port else 0,
            order=self._order.get((probe.target, probe.address), 1),
        )

    def control(self, what: str, probe: Probe) -> Control:
        """A control, as a check shows it; `what` is what it proves."""
        evidence = self.evidence(probe)
        return Control(what, self.exchange(probe), str(evidence.outcome), evidence.latency_ms)

    def _index(self, probe: Probe, evidence: Evidence) -> None:
        to, by = (probe.target, probe.protocol, probe.port), (probe.source, probe.protocol, probe.port)
        at = (probe.target, probe.address, probe.protocol, probe.port)
        good = self.answered(probe, evidence)
        if evidence.outcome is Outcome.SEND_ERROR and NEIGHBOURS in evidence.detail:
            self.overflowed.add(self.host(probe.source))
        if probe.purpose == "control":
            self.beside.setdefault(at, []).append(probe)
            self.sent_beside.setdefault(by, []).append(probe)
        elif probe.expectation is not None and probe.expectation.expected == ALLOW:
            self.may_reach.add(to)
            self.may_send.add(by)
            if good:
                self.reached.setdefault(to, probe)
                self.sent.setdefault(by, probe)
                self.reached_at.setdefault(at, probe)
        if good:
            self._carry(probe, evidence)

    def _carry(self, probe: Probe, evidence: Evidence) -> None:
        """An answer crossed in both directions, so the pair needs no order. Only overlays count: other networks take
        other paths.
        """
        source, target = self.plan.endpoints.get(probe.source), self.plan.endpoints.get(evidence.responder)
        if source is None or target is None:
            return
        own = source.role == target.role == "control"
        if own or probe.network in self.overlays:
            self.carried.setdefault(frozenset((source.host, target.host)), probe)


def captures_dropped(evidence: Evidence) -> str:
    """That a capture of either side lost records, in words; without a route nothing was sent that one could have
    missed.
    """
    if evidence.lost_records and evidence.outcome is not Outcome.NO_ROUTE:
        return f"the captures dropped {evidence.lost_records} records"
    return ""


def is_virtual(probe: Probe) -> bool:
    """Whether the probe goes to a service's virtual address."""
    return probe.expectation is not None and probe.expectation.kind is Kind.VIP


def _order(plan: ProbePlan) -> dict[tuple[str, str], int]:
    """(endpoint, address) -> 2 for the second of its addresses on one network, and so on."""
    found: dict[tuple[str, str], int] = {}
    for endpoint in plan.endpoints.values():
        counts: dict[str, int] = {}
        for a in endpoint.addresses:
            counts[a.network] = counts.get(a.network, 0) + 1
            if counts[a.network] > 1:
                found[endpoint.id, a.address] = counts[a.network]
    return found
