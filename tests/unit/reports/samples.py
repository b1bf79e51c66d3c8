"""Reports as a run makes them, without a run."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from swarmlab.model.check import Check, Finding, Verdict
from swarmlab.model.check_evidence.traffic import ExchangeEvidence, LookupEvidence
from swarmlab.model.host import HostFacts
from swarmlab.model.report import Report

HOSTS = tuple(HostFacts(f"host{n}", f"172.30.0.{n + 10}", "20.10.24", "6.18.0", ("ip_vs",)) for n in (1, 2, 3))
TASKS = (("front", 1, "host1"), ("front", 2, "host2"), ("api", 1, "host2"), ("api", 2, "host3"), ("db", 1, "host3"))
TIMINGS = {"hosts": 2.5, "swarm": 1.2, "stack": 5.0, "proof": 2.1}
DENIED = {"front", "db"}
CONTROLS = [
    {
        "proves": "the target's listener is alive",
        "probe": "api.1->db.1@back/tcp",
        "outcome": "answered",
        "latency_ms": 0.2,
    }
]


def check(source: tuple[str, int, str], target: tuple[str, int, str], protocol: str) -> Check:
    """One reach check that passes."""
    denied = {source[0], target[0]} == DENIED
    expected = "deny" if denied else "allow"
    evidence: dict[str, object] = {
        "outcome": "timed_out" if denied else "answered",
        "left": True,
        "asked": None,
        "via": "eth0",
        "seen": False if denied else None,
    }
    evidence |= {"answer_left": None, "sends": 3 if denied else 1, "lost_records": 0, "address": "10.0.2.3"}
    here, there = f"{source[0]}.{source[1]}", f"{target[0]}.{target[1]}"
    return Check(
        id=f"reach:{here}->{there}@back/{protocol}",
        kind="reach",
        source=here,
        target=there,
        network="back",
        protocol=protocol,
        port=41000,
        expected=expected,
        observed=expected,
        verdict=Verdict.PASS,
        because=f"{source[0]} and {target[0]} share {'no network' if denied else 'a network'}",
        source_service=source[0],
        target_service=target[0],
        source_host=source[2],
        target_host=target[2],
        evidence=ExchangeEvidence.from_json(evidence | ({"controls": CONTROLS} if denied else {})),
    )


def passed() -> Report:
    """Three tiers on three hosts, everything proven."""
    checks = [check(a, b, protocol) for a, b in permutations(TASKS, 2) for protocol in ("tcp", "udp", "icmp")]
    name = replace(checks[0], kind="name", protocol="dns", port=53, expected="allow", observed="allow")
    name = replace(name, evidence=LookupEvidence.from_json(name.evidence.to_json()))
    checks += [replace(name, id=f"name:{n}") for n in range(24)]
    return Report(
        "shop",
        "three-tier",
        "docker",
        HOSTS,
        tuple(checks),
        (),
        TIMINGS,
        "",
        "2026-01-01T00:00:00+00:00",
        1,
        ("front", "api", "db"),
    )


def violated(one: Check) -> Check:
    """A deny that was answered."""
    text = f"{one.source} reached 10.0.2.3 of {one.target}, and {one.target} answered, although it must not."
    evidence = {**one.evidence.to_json(), "outcome": "answered", "responder": one.target, "seen": None, "controls": []}
    shown = ExchangeEvidence.from_json(evidence)
    return replace(one, verdict=Verdict.FAIL, observed="allow", explanation=text, evidence=shown)


def unproven(one: Check) -> Check:
    """A deny whose target may not have been able to hear."""
    text = f"Not proven: nobody who may reached {one.target} by {one.protocol} in this run."
    return replace(one, verdict=Verdict.INCONCLUSIVE, observed="unknown", explanation=text)


def leaked() -> Report:
    """front.1 reaches db, though it must not."""
    checks = tuple(
        violated(c) if (c.source, c.target) == ("front.1", "db.1") and c.kind == "reach" else c for c in passed().checks
    )
    finding = Finding(
        id="leak:front->db",
        severity="isolation",
        title="front reaches db, over back",
        hosts=("host1", "host3"),
        layer="overlay",
        fix="detach them",
        source="checks",
    )
    return replace(passed(), checks=checks, findings=(finding,))


def not_proven() -> Report:
    """Nothing about db can be proven."""
    return replace(
        passed(),
        checks=tuple(unproven(c) if c.target == "db.1" and c.source_service == "front" else c for c in passed().checks),
    )


def mixed() -> Report:
    """One violation, one thing unproven, measured three times."""
    checks = tuple(unproven(c) if (c.source, c.target) == ("db.1", "front.2") else c for c in leaked().checks)
    return replace(leaked(), checks=checks, attempts=3)


def wide(services: int = 12) -> Report:
    """A dozen services with long names that all reach each other."""
    tasks = [
        (f"recommendation-service-{chr(97 + n % 26)}{n // 26 or ''}", 1, f"host{n % 3 + 1}") for n in range(services)
    ]
    checks = tuple(check(a, b, "tcp") for a, b in permutations(tasks, 2))
    return replace(passed(), checks=checks, services=tuple(name for name, _, _ in tasks))


def crashed() -> Report:
    """It ended while the stack was deployed."""
    error = "host2: cannot be reached any more: timed out after 10 s"
    return replace(passed(), checks=(), timings={"hosts": 2.5, "swarm": 1.2}, error=error)
