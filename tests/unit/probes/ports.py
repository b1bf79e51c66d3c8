"""A small lab that publishes ports, what is tried of it from outside, and an honest look at that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from swarmlab.model.check import Check
from swarmlab.model.evidence import Evidence, Measurement, Outcome
from swarmlab.model.expectation import Expectation
from swarmlab.model.host import OUTSIDE
from swarmlab.model.kinds import ALLOW
from swarmlab.model.probe import Address, Endpoint, PortInUse, Probe, ProbePlan
from swarmlab.model.scenario import PublishedPort, Scenario
from swarmlab.probes.publish.judge import port_checks
from swarmlab.probes.publish.plan import (
    HostPort,
    HostPorts,
    Unmeasured,
    controls,
    probe_of,
)
from swarmlab.probes.publish.published import Published
from swarmlab.probes.publish.run import PublishMeasurement, TaskSaw
from swarmlab.probes.session.endpoints import EndpointIndex
from swarmlab.probes.session.merge import SEEN
from swarmlab.scenario.derive_publish import published
from tests.unit.probes.labs import PORT, RUN, scenario, service, task

HOSTS = ("host1", "host2", "host3")
ADDRESSES = {host: f"172.30.0.{i}" for i, host in enumerate(HOSTS, 1)}
OPEN, SHUT = "publish:outside->web@host1/tcp:8080", "publish:outside->web@host3/tcp:8080"
MESH = "publish:outside->web@host3/tcp:8443"
PORTS = (PublishedPort(80, 8080, "tcp", "host"), PublishedPort(443, 8443, "tcp", "ingress"))


def lab(*ports: PublishedPort, replicas: int = 2, also: Sequence[Expectation] = ()) -> Scenario:
    web = replace(service("web", "front-net", replicas=replicas), ports=ports or PORTS)
    made = scenario(web, service("db", "front-net"))
    return replace(made, expectations=(*also, *published(made.services, made.networks)))


ENDPOINTS = (
    task("web.1", "host1", ("10.0.1.3", "front-net")),
    task("web.2", "host2", ("10.0.1.4", "front-net")),
    task("db.1", "host3", ("10.0.1.5", "front-net")),
    *(Endpoint(f"host:{h}", h, "host", addresses=(Address(a, "underlay"),)) for h, a in ADDRESSES.items()),
)


def host_ports(made: Scenario, in_use: Sequence[PortInUse] = ()) -> tuple[dict[str, HostPort], list[Unmeasured]]:
    tried = HostPorts(EndpointIndex(made, ENDPOINTS), in_use).all(made.expectations)
    gaps = [t for t in tried if isinstance(t, Unmeasured)]
    return {f"{d.host}/{d.protocol}:{d.said}": d for d in tried if isinstance(d, HostPort)}, gaps


@dataclass(frozen=True)
class Case:
    """One run from outside, and what was seen of it."""

    made: Scenario
    plan: ProbePlan
    host_ports: dict[int, HostPort]
    seen: PublishMeasurement

    def probe(self, id_: str) -> Probe:
        by_id = dict(zip((c.id for c in self.checks()), self.host_ports, strict=True))
        return self.plan.probes[by_id[id_]]

    def checks(
        self, captures_work: frozenset[str] = frozenset(), capture_missed: frozenset[tuple[str, str]] = frozenset()
    ) -> list[Check]:
        known = {"captures_work": captures_work, "capture_missed": capture_missed}
        return port_checks(Published(self.made, self.plan, self.seen, self.host_ports, **known))  # type: ignore[arg-type]

    def check(self, id_: str) -> Check:
        return next(c for c in self.checks() if c.id == id_)

    def evidence(self, id_: str, **more: object) -> Case:
        """That probe's evidence from the sender and the host, changed; not answered any more."""
        probe = self.probe(id_)
        before = self.seen.measurement.probes
        probes = {**before, probe.id: replace(before[probe.id], **more)}  # type: ignore[arg-type]
        answers = {i: who for i, who in self.seen.answers.items() if i != probe.id}
        return replace(
            self, seen=PublishMeasurement(replace(self.seen.measurement, probes=probes), answers, self.seen.tasks)
        )

    def unanswered(self, id_: str, outcome: Outcome = Outcome.TIMED_OUT, **more: object) -> Case:
        return self.evidence(id_, outcome=outcome, responder="", detail="", **more).came_to(id_)

    def answered(self, id_: str, by: str) -> Case:
        return replace(self, seen=replace(self.seen, answers={**self.seen.answers, self.probe(id_).id: by}))

    def came_to(self, id_: str, **tasks: TaskSaw) -> Case:
        """Which tasks' captures saw it (web1 for web.1)."""
        all_ = dict.fromkeys(("web.1", "web.2", "db.1"), (False, False)) | {
            f"{k[:-1]}.{k[-1]}": s for k, s in tasks.items()
        }
        return replace(self, seen=replace(self.seen, tasks={**self.seen.tasks, self.probe(id_).id: all_}))

    def measured(self, **more: object) -> Case:
        return replace(self, seen=replace(self.seen, measurement=replace(self.seen.measurement, **more)))  # type: ignore[arg-type]

    def control(self, host: str, outcome: Outcome) -> Case:
        ids = [p.id for p in self.plan.probes if p.purpose == "control" and p.target == f"host:{host}"]
        probes = {**self.seen.measurement.probes, **{i: Evidence(i, outcome, left=True, seen=False) for i in ids}}
        return self.measured(probes=probes)

    def impaired(self, id_: str) -> Case:
        endpoints = {**self.plan.endpoints, id_: replace(self.plan.endpoints[id_], impaired="its container is paused")}
        return replace(self, plan=replace(self.plan, endpoints=endpoints))


def proven() -> Case:
    """Every open host port answered by an application that saw the request, every shut one refused by its host."""
    made = lab()
    found = list(host_ports(made)[0].values())
    outside = Endpoint(OUTSIDE, OUTSIDE, "outside", addresses=(Address("172.30.0.10", "underlay"),))
    probes = [probe_of(i, d, ADDRESSES) for i, d in enumerate(found)]
    probes += controls(found, len(probes), PORT, ADDRESSES)
    plan = ProbePlan(
        endpoints={**{e.id: e for e in ENDPOINTS}, OUTSIDE: outside},
        probes=tuple(probes),
        names=(),
        port=PORT,
        run=RUN,
        timeout=1.0,
    )
    evidence, answers, tasks = {}, {}, {}
    for p in probes:
        host_port = found[p.id] if p.id < len(found) else None
        none: dict[str, TaskSaw] = dict.fromkeys(("web.1", "web.2", "db.1"), (False, False))
        if host_port is None:
            evidence[p.id] = Evidence(p.id, Outcome.ANSWERED, responder=p.target, latency_ms=0.2, left=True, sends=1)
        elif host_port.expected == ALLOW:
            evidence[p.id] = Evidence(
                p.id, Outcome.ANSWERED, responder=p.target, latency_ms=0.2, left=True, seen=True, detail=SEEN
            )
            answers[p.id], tasks[p.id] = "", {**none, host_port.tasks[0]: (True, True)}
        else:
            evidence[p.id] = Evidence(p.id, Outcome.REFUSED, left=True, seen=True, answer_left=True)
            tasks[p.id] = none
    return Case(made, plan, dict(enumerate(found)), PublishMeasurement(Measurement(evidence), answers, tasks))


Change = Callable[[Case], Case]
