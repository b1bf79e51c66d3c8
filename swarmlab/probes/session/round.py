"""One measurement: all agents at once open their listeners, fire, and say what they saw. A host that dies takes only
its own evidence along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from swarmlab.agent.protocol.message import Request
from swarmlab.agent.protocol.probing import (
    Close,
    EndpointSpec,
    Fire,
    FireAnswer,
    Hello,
    NameSpec,
    Open,
    ProbeSpec,
    Seen,
)
from swarmlab.events import Bus, PhaseProgress
from swarmlab.model.evidence import Measurement
from swarmlab.model.kinds import ALLOW
from swarmlab.model.probe import Endpoint, NameProbe, ProbePlan
from swarmlab.probes.session.link import AgentLink, ask_all
from swarmlab.probes.session.merge import Merge
from swarmlab.probes.session.ports import free_port

A = TypeVar("A")

OPEN_TRIES = 5
SLACK = 30.0  # seconds beyond the probes' own deadline in which an agent must have answered
SMALLEST_BATCH = 500
OWN_NAMESPACE = ("host", "outside")  # the only roles that may stand in the agent's own namespace


def measure(
    plan: ProbePlan,
    agents: Mapping[str, AgentLink],
    *,
    dead_hosts: Mapping[str, str] | None = None,
    bus: Bus,
) -> Measurement:
    """Do what the plan says, and tell `bus` how far it is. `dead_hosts` are known to have no agent. Never raises for a
    host that fails.
    """
    with ThreadPoolExecutor(max_workers=max(1, len(agents)), thread_name_prefix="agent") as pool:
        round_ = Round(plan, agents, pool, dict(dead_hosts or {}))
        merge = round_.all(bus)
    return Measurement(
        merge.probes(),
        merge.names(),
        dead_endpoints=round_.dead_endpoints,
        dead_hosts=round_.dead_hosts,
        missing_features=round_.missing_features,
        capture_missed=merge.capture_missed(),
    )


@dataclass
class Round:
    """The state of one round of probing, with agents on several hosts."""

    plan: ProbePlan
    agents: Mapping[str, AgentLink]
    pool: ThreadPoolExecutor
    dead_hosts: dict[str, str]
    dead_endpoints: dict[str, str] = field(default_factory=dict)
    missing_features: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def all(self, bus: Bus) -> Merge:
        """Hello, open, fire, ask what was seen, close."""
        probes, names = self.plan.probes, self.plan.names
        bus.emit(PhaseProgress("proof", "opening listeners", 0, 3))
        port = self.open()
        bus.emit(PhaseProgress("proof", f"{len(probes)} probes and {len(names)} names", 1, 3))
        fired = self.fire(port)
        merge = Merge(self.plan, port, fired, self.dead_endpoints, self.dead_hosts)
        bus.emit(PhaseProgress("proof", "what the targets saw", 2, 3))
        questions = merge.questions()
        # Every agent is asked, if only about nothing: for an agent, this ends the round.
        asked = {h: Seen(tuple(questions.get(h, ()))) for h in fired}
        merge.saw(self.everywhere(asked, self.plan.timeout + SLACK))
        self.everywhere(dict.fromkeys(fired, Close()), SLACK, fatal=False)
        return merge

    def open(self) -> int:
        """Listeners and captures everywhere, on one port that is free in every namespace; returns it."""
        for host in sorted({e.host for e in self.plan.endpoints.values()} - self.agents.keys()):
            self.dead_hosts.setdefault(host, "it has no agent")
        hellos = self.everywhere(dict.fromkeys(self.agents, Hello()), SLACK)
        self.missing_features = {host: answer.missing_features for host, answer in hellos.items()}
        wanted = self._openable()
        port, tried = self.plan.port, {p for ports in self.plan.extra_ports.values() for p in ports}
        for _ in range(OPEN_TRIES):
            errors = self._open_once(wanted, port)
            if not any(text.startswith("port_taken") for text in errors.values()):
                break
            tried.add(port)
            self.everywhere(dict.fromkeys(wanted, Close()), SLACK)
            port = free_port(tried)
        else:
            errors = self._open_once(wanted, port)
        self.dead_endpoints.update(errors)
        return port

    def fire(self, port: int) -> dict[str, FireAnswer]:
        """Everything at once; the answers by host."""
        host_of = {id_: e.host for id_, e in self.plan.endpoints.items() if id_ not in self.dead_endpoints}
        probes: dict[str, list[ProbeSpec]] = {}
        names: dict[str, list[NameSpec]] = {}
        for p in self.plan.probes:
            if p.source in host_of:
                wanted = port if p.port == self.plan.port else p.port
                probes.setdefault(host_of[p.source], []).append(
                    ProbeSpec(p.id, p.source, p.protocol, p.address, wanted)
                )
        for n in self.plan.names:
            if n.source in host_of:
                names.setdefault(host_of[n.source], []).append(_name_spec(n))
        requests = {
            h: Fire(self.plan.timeout, tuple(probes.get(h, ())), tuple(names.get(h, ()))) for h in {**probes, **names}
        }
        # An agent with few file descriptors fires in batches, each with a deadline of its own.
        batches = 1 + len(self.plan.probes) // SMALLEST_BATCH
        return self.everywhere(requests, self.plan.timeout * batches + SLACK)

    @property
    def alive(self) -> set[str]:
        """Hosts whose agents still answer."""
        return self.agents.keys() - self.dead_hosts.keys()

    def everywhere(self, requests: Mapping[str, Request[A]], timeout: float, *, fatal: bool = True) -> dict[str, A]:
        """One request per living host, all at once. A host that fails is dead from then on, if that is `fatal`."""
        answers, failed = ask_all(
            self.pool, self.agents, {h: m for h, m in requests.items() if h in self.alive}, timeout
        )
        self.dead_hosts.update(failed if fatal else {})
        return answers

    def _openable(self) -> dict[str, list[EndpointSpec]]:
        """Endpoints that a probe or a name needs, by host. One without a process must never be taken for the agent's
        own namespace.
        """
        needed = {end for p in self.plan.probes for end in (p.source, p.target)} | {n.source for n in self.plan.names}
        needed |= self.plan.extra_ports.keys() | self.plan.watched.keys()
        virtual = {p.target for p in self.plan.probes if p.target not in self.plan.endpoints}
        wanted: dict[str, list[EndpointSpec]] = {}
        for e in self.plan.endpoints.values():
            if e.id not in needed and e.service not in virtual:
                continue
            if not e.pid and not e.path and e.role not in OWN_NAMESPACE:
                self.dead_endpoints[e.id] = f"gone: {e.impaired or 'it has no process'}"
            else:
                wanted.setdefault(e.host, []).append(self._endpoint_spec(e))
        return wanted

    def _endpoint_spec(self, e: Endpoint) -> EndpointSpec:
        extra_ports, watched = self.plan.extra_ports.get(e.id, ()), self.plan.watched.get(e.id, ())
        return EndpointSpec(e.id, e.pid, e.container, e.path, extra_ports, watched)

    def _open_once(self, wanted: Mapping[str, Sequence[EndpointSpec]], port: int) -> dict[str, str]:
        """Endpoint id -> why it is not open."""
        requests = {h: Open(self.plan.run, port, tuple(specs)) for h, specs in wanted.items()}
        answers = self.everywhere(requests, SLACK)
        told = {result.id: result.error for answer in answers.values() for result in answer.endpoints}
        asked = [spec.id for h in answers for spec in wanted[h]]
        return {i: told.get(i, "failed: its agent said nothing about it") for i in asked if told.get(i, "?")}


def _name_spec(n: NameProbe) -> NameSpec:
    allowed = n.expectation is not None and n.expectation.expected == ALLOW
    return NameSpec(n.id, n.source, n.name, n.accepted if allowed else ())
