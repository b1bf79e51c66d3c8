"""Small labs as values, and an honest measurement of them: every allow answered, every deny properly silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from swarmlab.model.check import Check, Finding, worst_first
from swarmlab.model.evidence import Evidence, Measurement, NameEvidence, NetworkEvidence, Outcome
from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import ALLOW, DENY, Kind
from swarmlab.model.probe import Address, Endpoint, NameProbe, Probe, ProbePlan
from swarmlab.model.scenario import Container, LocalNetwork, Network, Scenario, Service
from swarmlab.probes.network.stage import Network as NetworkStage
from swarmlab.probes.stage import LabView, Results
from swarmlab.probes.traffic.facts import Facts
from swarmlab.probes.traffic.findings import findings as traffic_findings
from swarmlab.probes.traffic.judge import judge as judge_traffic
from swarmlab.probes.traffic.plan import plan

RUN = "00112233445566aa"
PORT = 21000


def service(
    name: str, *networks: str, replicas: int | None = 1, mode: str = "dnsrr", aliases: Sequence[str] = ()
) -> Service:
    return Service(name, "img", {n: tuple(aliases) for n in networks}, replicas, mode)


def scenario(
    *services: Service,
    expect: Sequence[Expectation] = (),
    networks: Sequence[Network] = (Network("front-net"), Network("back-net", internal=True)),
    local: Sequence[LocalNetwork] = (),
    containers: Sequence[Container] = (),
) -> Scenario:
    return Scenario(
        "lab", Path("compose.yaml"), "", {s.name: s for s in services}, {n.key: n for n in networks},
        {n.name: n for n in local}, {c.name: c for c in containers}, tuple(expect),
    )  # fmt: skip


def reach(source: str, target: str, expected: str = ALLOW, network: str = "", **more: object) -> Expectation:
    made = Expectation(
        kind=Kind.REACH, expected=expected, because="because", source=source, target=target, network=network
    )
    return replace(made, **more)  # type: ignore[arg-type]


def name(source: str, target: str, expected: str = ALLOW, asked: str = "", **more: object) -> Expectation:
    made = Expectation(
        kind=Kind.NAME, expected=expected, because="because", source=source, target=target, name=asked or target
    )
    return replace(made, **more)  # type: ignore[arg-type]


def task(id_: str, host: str, *addresses: tuple[str, str], role: str = "task", impaired: str = "") -> Endpoint:
    owner = id_.rpartition(".")[0] if role == "task" else id_ if role == "container" else ""
    return Endpoint(id_, host, role, owner, 100, "c" * 64, "", tuple(Address(a, n) for a, n in addresses), impaired)


def bridge(network: str, host: str, address: str) -> Endpoint:
    return Endpoint(f"bridge:{network}@{host}", host, "bridge", path="/ns", addresses=(Address(address, network),))


def control(host: str, address: str) -> Endpoint:
    return Endpoint(f"control@{host}", host, "control", pid=7, addresses=(Address(address, "swarmlab-control-lab"),))


EXPECT = (
    reach("front", "api", network="front-net"),
    reach("api", "front", network="front-net"),
    reach("api", "db", network="back-net"),
    reach("db", "api", network="back-net"),
    reach("front", "db", DENY),
    reach("db", "front", DENY, network="front-net"),
    name("front", "api"),
    name("api", "db"),
    name("front", "db", DENY),
)
THREE_TIER = scenario(
    service("front", "front-net", replicas=2),
    service("api", "front-net", "back-net", replicas=2),
    service("db", "back-net"),
    expect=EXPECT,
)
ENDPOINTS = (
    task("front.1", "host1", ("10.0.1.3", "front-net")),
    task("front.2", "host2", ("10.0.1.4", "front-net")),
    task("api.1", "host2", ("10.0.1.5", "front-net"), ("10.0.2.5", "back-net")),
    task("api.2", "host3", ("10.0.1.6", "front-net"), ("10.0.2.6", "back-net")),
    task("db.1", "host3", ("10.0.2.7", "back-net")),
    *(
        bridge(n, h, g)
        for n, g in (("front-net", "10.0.1.1"), ("back-net", "10.0.2.1"))
        for h in ("host1", "host2", "host3")
    ),
    *(control(f"host{i}", f"10.0.9.{i + 1}") for i in (1, 2, 3)),
    *(
        Endpoint(f"host:host{i}", f"host{i}", "host", addresses=(Address(f"172.30.0.{i}", "underlay"),))
        for i in (1, 2, 3)
    ),
)


def three_tier() -> ProbePlan:
    return plan(THREE_TIER, ENDPOINTS, timeout=1.0, run=RUN, port=PORT)


def honest(p: ProbePlan) -> Measurement:
    return Measurement({x.id: honest_probe(x) for x in p.probes}, {n.id: honest_name(p, n) for n in p.names})


def honest_probe(p: Probe) -> Evidence:
    if p.expectation is not None and p.expectation.expected == DENY:
        return Evidence(p.id, Outcome.TIMED_OUT, left=True, via="eth0", seen=False, sends=3)
    return Evidence(p.id, Outcome.ANSWERED, responder=p.target, latency_ms=0.2, left=True, sends=1)


def honest_name(p: ProbePlan, n: NameProbe) -> NameEvidence:
    if n.expectation is not None and n.expectation.expected == DENY:
        return NameEvidence(n.id, Outcome.ANSWERED, rcode="NXDOMAIN", addresses=(), latency_ms=0.3, sends=1)
    own = tuple(a.address for e in p.endpoints.values() if e.service == n.target for a in e.addresses)
    return NameEvidence(
        n.id,
        Outcome.ANSWERED,
        rcode="NOERROR",
        addresses=tuple(sorted(n.accepted[0])) if n.accepted else own,
        latency_ms=0.3,
        sends=1,
    )


def changed(m: Measurement, *evidence: Evidence) -> Measurement:
    return replace(m, probes={**m.probes, **{e.probe: e for e in evidence}})


def renamed(m: Measurement, *evidence: NameEvidence) -> Measurement:
    return replace(m, names={**m.names, **{e.probe: e for e in evidence}})


def find(p: ProbePlan, source: str, target: str, protocol: str = "tcp", network: str = "", purpose: str = "") -> Probe:
    wanted = ((source, target, protocol), network, purpose)
    return next(
        x for x in p.probes
        if (x.source, x.target, x.protocol) == wanted[0] and network in ("", x.network) and purpose in ("", x.purpose)
    )  # fmt: skip


def judge(s: Scenario, p: ProbePlan, m: Measurement, networks: Sequence[NetworkEvidence] = ()) -> tuple[Check, ...]:
    """What stages traffic and network say of one measurement."""
    facts = Facts(s, p, m)
    view = LabView(
        scenario=s, endpoints=tuple(p.endpoints.values()), agents={}, timeout=p.timeout, networks=tuple(networks)
    )
    return (*judge_traffic(facts), *NetworkStage().run(view, Results(facts=facts)).checks)


def findings(
    s: Scenario, p: ProbePlan, m: Measurement, networks: Sequence[NetworkEvidence] = ()
) -> tuple[Finding, ...]:
    """What both stages find in it."""
    facts = Facts(s, p, m)
    view = LabView(
        scenario=s, endpoints=tuple(p.endpoints.values()), agents={}, timeout=p.timeout, networks=tuple(networks)
    )
    more = NetworkStage().run(view, Results(facts=facts)).findings
    return worst_first((*traffic_findings(facts, judge_traffic(facts)), *more))
