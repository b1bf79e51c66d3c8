"""One measurement: every agent at once opens its listeners, fires, and says what it saw. Who dies takes only its own
evidence along.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from swarmlab.events import Bus, PhaseProgress
from swarmlab.model.evidence import Measurement
from swarmlab.model.kinds import ALLOW
from swarmlab.model.probe import Endpoint, NameProbe, Probe, ProbePlan
from swarmlab.probes.session.link import AgentLink, Answer, Message, Session, SessionLink, ask_all
from swarmlab.probes.session.merge import Merge
from swarmlab.probes.session.ports import free_port

__all__ = ["AgentLink", "Session", "SessionLink", "measure"]

OPEN_TRIES = 5
SLACK = 30.0  # seconds beyond the probes' own deadline in which an agent must have answered
SMALLEST_BATCH = 500
OWN_NAMESPACE = ("host", "outside")  # the only roles that may stand in the agent's own namespace


def measure(
    plan: ProbePlan,
    agents: Mapping[str, AgentLink],
    *,
    dead_hosts: Mapping[str, str] | None = None,
    bus: Bus | None = None,
) -> Measurement:
    """Do what the plan says. `dead_hosts` are known to have no agent. Never raises for a host
    that fails.
    """
    with ThreadPoolExecutor(max_workers=max(1, len(agents)), thread_name_prefix="agent") as pool:
        round_ = Round(plan, agents, pool, dict(dead_hosts or {}))
        merge = round_.all(bus or Bus())
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
    """The state of one measurement."""

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
        asked = {h: {"op": "seen", "probes": questions.get(h, [])} for h in fired}
        merge.saw(self.everywhere(asked, self.plan.timeout + SLACK))
        self.everywhere({h: {"op": "close"} for h in fired}, SLACK, fatal=False)
        return merge

    def open(self) -> int:
        """Listeners and captures everywhere, on one port that is free in every namespace; returns it."""
        for host in sorted({e.host for e in self.plan.endpoints.values()} - self.agents.keys()):
            self.dead_hosts.setdefault(host, "it has no agent")
        hellos = self.everywhere({h: {"op": "hello"} for h in self.agents}, SLACK)
        self.missing_features = {
            host: tuple(str(f)[:40] for f in _list(answer, "lacks")) for host, answer in hellos.items()
        }
        wanted = self._openable()
        port, tried = self.plan.port, {p for ports in self.plan.extra_ports.values() for p in ports}
        for _ in range(OPEN_TRIES):
            errors = self._open_once(wanted, port)
            if not any(text.startswith("port_taken") for text in errors.values()):
                break
            tried.add(port)
            self.everywhere({h: {"op": "close"} for h in wanted}, SLACK)
            port = free_port(tried)
        else:
            errors = self._open_once(wanted, port)
        self.dead_endpoints.update(errors)
        return port

    def fire(self, port: int) -> dict[str, Answer]:
        """Everything at once; the answers by host."""
        host_of = {id_: e.host for id_, e in self.plan.endpoints.items() if id_ not in self.dead_endpoints}
        probes: dict[str, list[dict[str, object]]] = {}
        names: dict[str, list[dict[str, object]]] = {}
        for p in self.plan.probes:
            if p.source in host_of:
                probes.setdefault(host_of[p.source], []).append(_probe(p, port if p.port == self.plan.port else p.port))
        for n in self.plan.names:
            if n.source in host_of:
                names.setdefault(host_of[n.source], []).append(_name(n))
        requests: dict[str, Message] = {
            h: {"op": "fire", "timeout": self.plan.timeout, "probes": probes.get(h, []), "names": names.get(h, [])}
            for h in {**probes, **names}
            if h in self.alive
        }
        # An agent with few file descriptors fires in batches, each with a deadline of its own.
        batches = 1 + len(self.plan.probes) // SMALLEST_BATCH
        return self.everywhere(requests, self.plan.timeout * batches + SLACK)

    @property
    def alive(self) -> set[str]:
        """Hosts whose agents still answer."""
        return self.agents.keys() - self.dead_hosts.keys()

    def everywhere(self, requests: Mapping[str, Message], timeout: float, *, fatal: bool = True) -> dict[str, Answer]:
        """One request per living host, all at once; a host that fails is dead from then on, unless nothing depends on
        it any more.
        """
        answers, failed = ask_all(
            self.pool, self.agents, {h: m for h, m in requests.items() if h in self.alive}, timeout
        )
        self.dead_hosts.update(failed if fatal else {})
        return answers

    def _openable(self) -> dict[str, list[dict[str, object]]]:
        """Endpoints that a probe or a name needs, by host. One without a process must never be taken for the agent's
        own namespace.
        """
        needed = {end for p in self.plan.probes for end in (p.source, p.target)} | {n.source for n in self.plan.names}
        needed |= self.plan.extra_ports.keys() | self.plan.watched.keys()
        virtual = {p.target for p in self.plan.probes if p.target not in self.plan.endpoints}
        wanted: dict[str, list[dict[str, object]]] = {}
        for e in self.plan.endpoints.values():
            if e.id not in needed and e.service not in virtual:
                continue
            if not e.pid and not e.path and e.role not in OWN_NAMESPACE:
                self.dead_endpoints[e.id] = f"gone: {e.impaired or 'it has no process'}"
            else:
                wanted.setdefault(e.host, []).append(
                    _endpoint(e, self.plan.extra_ports.get(e.id, ()), self.plan.watched.get(e.id, ()))
                )
        return wanted

    def _open_once(self, wanted: Mapping[str, Sequence[Mapping[str, object]]], port: int) -> dict[str, str]:
        """Endpoint id -> why it is not open."""
        head = {"op": "open", "run": self.plan.run, "port": port}
        answers = self.everywhere({h: {**head, "endpoints": list(es)} for h, es in wanted.items()}, SLACK)
        entries = [e for a in answers.values() for e in _list(a, "endpoints") if isinstance(e, dict)]
        told = {str(e.get("id")): str(e.get("error") or "")[:300] for e in entries}
        asked = [str(e["id"]) for h in answers for e in wanted[h]]
        return {i: told.get(i, "failed: its agent said nothing about it") for i in asked if told.get(i, "?")}


def _list(answer: Answer, key: str) -> Iterable[object]:
    value = answer.get(key)
    return value if isinstance(value, list) else ()


def _endpoint(e: Endpoint, extra: Sequence[int], watched: Sequence[int]) -> dict[str, object]:
    spec: dict[str, object] = {
        "id": e.id,
        "pid": e.pid,
        "container": e.container,
        "path": e.path,
        "extra_ports": list(extra),
    }
    return {**spec, "watched": list(watched)} if watched else spec


def _probe(p: Probe, port: int) -> dict[str, object]:
    return {"id": p.id, "from": p.source, "protocol": p.protocol, "address": p.address, "port": port}


def _name(n: NameProbe) -> dict[str, object]:
    allowed = n.expectation is not None and n.expectation.expected == ALLOW
    accepted = [sorted(s) for s in n.accepted] if allowed else []
    return {"id": n.id, "from": n.source, "name": n.name, "accepted": accepted}
