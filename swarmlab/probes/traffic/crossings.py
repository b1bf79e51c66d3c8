"""Which overlays lose packets between which hosts, and in which direction: one finding per pair of hosts, not per
probe.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from swarmlab.model.check import Finding
from swarmlab.model.evidence import Evidence, Outcome
from swarmlab.model.ids import between, finding_id, pair
from swarmlab.model.kinds import ALLOW
from swarmlab.model.probe import Probe
from swarmlab.probes.session.sources import ISSUE
from swarmlab.probes.traffic.facts import Facts

LOST = (Outcome.TIMED_OUT, Outcome.UNREACHABLE)


@dataclass
class Crossing:
    """One overlay between two hosts: how many exchanges were answered, and in which direction packets were lost."""

    answered: int = 0
    unanswered: int = 0
    lost: Counter[tuple[str, str]] = field(default_factory=Counter)


def crossings(facts: Facts) -> Iterator[Finding]:
    """Pairs of hosts between which an overlay loses packets; the underlay's fault when no overlay at all gets
    through.
    """
    found = _by_pair(facts)
    for hosts in sorted({p for p, _ in found}):
        nets = {n: c for (p, n), c in found.items() if p == hosts}
        bad = {n: c for n, c in nets.items() if c.unanswered}
        if not bad:
            continue
        if not any(c.answered for c in nets.values()):
            yield _vxlan_lost(hosts, bad.values())
            continue
        for network, crossing in sorted(bad.items()):
            yield _overlay_lost(facts, hosts, network, crossing)


def _vxlan_lost(hosts: tuple[str, str], crossings: Iterable[Crossing]) -> Finding:
    lost: Counter[tuple[str, str]] = Counter()
    for crossing in crossings:
        lost.update(crossing.lost)
    directions = sorted(lost)
    if len(directions) == 1:
        start, end = directions[0]
        where, which = pair(start, end), f"from {start} to {end} is lost"
        proof = f"{lost[start, end]} packets left {start} and never arrived at {end}; none was lost the other way"
    else:
        how = " both ways" if directions else ", in which direction is not known"
        where, which = between(*hosts), f"between {hosts[0]} and {hosts[1]} is lost{how}"
        proof = "; ".join(f"{lost[d]} lost from {d[0]} to {d[1]}" for d in directions) or "no capture saw where"
    return Finding(
        id=finding_id("vxlan-lost", where),
        severity="connectivity",
        title=f"UDP/4789 (VXLAN) {which}",
        hosts=hosts,
        layer="underlay",
        fix=f"let UDP/4789 pass in both directions between {hosts[0]} and {hosts[1]}; where a network fabric eats that "
        "port, `docker swarm init --data-path-port`",
        source=f"{proof}; {ISSUE}33416",
    )


def _overlay_lost(facts: Facts, hosts: tuple[str, str], network: str, crossing: Crossing) -> Finding:
    """VXLAN crosses this pair, and yet this overlay loses packets."""
    declared, both = facts.scenario.networks.get(network), f"{hosts[0]} and {hosts[1]}"
    lost = "; ".join(f"{count} lost from {a} to {b}" for (a, b), count in sorted(crossing.lost.items()))
    if not crossing.answered and declared is not None and declared.encrypted:
        title, issue = f"encrypted {network} carries nothing between {both}, while VXLAN passes", "26523"
        fix = (
            f"the findings on the wire say which: ESP (IP protocol 50) must pass between {both}, both kernels need "
            "esp4 and gcm, and what one side sends in clear the other refuses"
        )
    else:
        some = f"loses {crossing.unanswered} of {crossing.answered + crossing.unanswered} exchanges"
        how = some if crossing.answered else "carries nothing"
        title, issue = f"{network} {how} between {both}, while others pass", "47728"
        fix = f"compare `docker network inspect -v` of {network} on {both}: their control planes may differ"
    return Finding(
        id=finding_id("overlay-lost", network, between(*hosts)),
        severity="connectivity",
        title=title,
        hosts=hosts,
        layer="overlay",
        fix=fix,
        source=f"{lost or 'where is not known'}; {ISSUE}{issue}",
    )


def _by_pair(facts: Facts) -> dict[tuple[tuple[str, str], str], Crossing]:
    crossings: dict[tuple[tuple[str, str], str], Crossing] = defaultdict(Crossing)
    for probe in facts.plan.probes:
        if (probe.expectation is not None and probe.expectation.expected != ALLOW) or not _crosses(facts, probe):
            continue
        here, there = facts.host(probe.source), facts.host(probe.target)
        crossing = crossings[(min(here, there), max(here, there)), probe.network]
        evidence = facts.evidence(probe)
        if facts.answered(probe, evidence):
            crossing.answered += 1
        elif evidence.outcome in LOST:
            crossing.unanswered += 1
            crossing.lost.update(_lost(evidence, here, there))
    return crossings


def _crosses(facts: Facts, probe: Probe) -> bool:
    source, target = facts.plan.endpoints.get(probe.source), facts.plan.endpoints.get(probe.target)
    if source is None or target is None or source.host == target.host:
        return False
    return probe.network in facts.overlays or source.role == target.role == "control"


def _lost(evidence: Evidence, here: str, there: str) -> Iterator[tuple[str, str]]:
    """In which direction, where captures have seen that."""
    if evidence.left and evidence.seen is False:
        yield here, there
    elif evidence.seen and evidence.answer_left:
        yield there, here
