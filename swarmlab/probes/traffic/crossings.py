"""Which overlays lose packets between which hosts, and in which direction: one finding per pair of hosts, not per
probe.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from swarmlab.model.check import Finding
from swarmlab.model.evidence import Evidence, Outcome
from swarmlab.model.kinds import ALLOW
from swarmlab.model.probe import Probe
from swarmlab.probes.traffic.facts import Facts

ISSUE = "https://github.com/moby/moby/issues/"
LOST = (Outcome.TIMED_OUT, Outcome.UNREACHABLE)


@dataclass
class Crossing:
    """One overlay between two hosts: how many exchanges were answered, and in which direction packets were lost."""

    answered: int = 0
    unanswered: int = 0
    lost: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))


def crossings(facts: Facts) -> Iterator[Finding]:
    """Pairs of hosts between which an overlay loses packets; the underlay's fault when no overlay at all gets
    through.
    """
    found = _by_pair(facts)
    for pair in sorted({p for p, _ in found}):
        nets = {n: c for (p, n), c in found.items() if p == pair}
        bad = {n: c for n, c in nets.items() if c.unanswered}
        if not bad:
            continue
        if not any(c.answered for c in nets.values()):
            yield _vxlan_lost(pair, bad.values())
            continue
        for network, crossing in sorted(bad.items()):
            yield _overlay_lost(facts, pair, network, crossing)


def _vxlan_lost(pair: tuple[str, str], crossings: Iterable[Crossing]) -> Finding:
    votes: dict[tuple[str, str], int] = defaultdict(int)
    for crossing in crossings:
        for way, count in crossing.lost.items():
            votes[way] += count
    ways = sorted(votes)
    if len(ways) == 1:
        (start, end), which = ways[0], f"from {ways[0][0]} to {ways[0][1]} is lost"
        proof = f"{votes[ways[0]]} packets left {start} and never arrived at {end}; none was lost the other way"
    else:
        which = (
            f"between {pair[0]} and {pair[1]} is lost{' both ways' if ways else ', in which direction is not known'}"
        )
        proof = "; ".join(f"{votes[w]} lost from {w[0]} to {w[1]}" for w in ways) or "no capture saw where"
    return Finding(
        id=f"vxlan-lost:{'<->'.join(pair) if len(ways) != 1 else '->'.join(ways[0])}",
        severity="connectivity",
        title=f"UDP/4789 (VXLAN) {which}",
        hosts=pair,
        layer="underlay",
        fix=f"let UDP/4789 pass in both directions between {pair[0]} and {pair[1]}; where a network fabric eats that port, "
        "`docker swarm init --data-path-port`",
        source=f"{proof}; {ISSUE}33416",
    )


def _overlay_lost(facts: Facts, pair: tuple[str, str], network: str, crossing: Crossing) -> Finding:
    """VXLAN crosses this pair, and yet this overlay loses packets."""
    declared = facts.scenario.networks.get(network)
    ways = (
        "; ".join(f"{count} lost from {a} to {b}" for (a, b), count in sorted(crossing.lost.items()))
        or "where is not known"
    )
    dead = not crossing.answered
    if dead and declared is not None and declared.encrypted:
        fix = (
            f"the findings on the wire say which: ESP (IP protocol 50) must pass between {pair[0]} and {pair[1]}, both kernels need esp4 "
            "and gcm, and what one side sends in clear the other refuses"
        )
        title, source = (
            f"encrypted {network} carries nothing between {pair[0]} and {pair[1]}, while VXLAN passes",
            ISSUE + "26523",
        )
    else:
        fix = f"compare `docker network inspect -v` of {network} on {pair[0]} and {pair[1]}: their control planes may differ"
        how = (
            "carries nothing"
            if dead
            else f"loses {crossing.unanswered} of {crossing.answered + crossing.unanswered} exchanges"
        )
        title, source = f"{network} {how} between {pair[0]} and {pair[1]}, while others pass", ISSUE + "47728"
    return Finding(
        id=f"overlay-lost:{network}:{'<->'.join(pair)}",
        severity="connectivity",
        title=title,
        hosts=pair,
        layer="overlay",
        fix=fix,
        source=f"{ways}; {source}",
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
            for way in _lost_way(evidence, here, there):
                crossing.lost[way] += 1
    return crossings


def _crosses(facts: Facts, probe: Probe) -> bool:
    source, target = facts.plan.endpoints.get(probe.source), facts.plan.endpoints.get(probe.target)
    if source is None or target is None or source.host == target.host:
        return False
    return probe.network in facts.overlays or source.role == target.role == "control"


def _lost_way(evidence: Evidence, here: str, there: str) -> Iterator[tuple[str, str]]:
    if evidence.left and evidence.seen is False:
        yield here, there
    elif evidence.seen and evidence.answer_left:
        yield there, here
