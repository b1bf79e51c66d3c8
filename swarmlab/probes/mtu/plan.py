"""Which sizes to try: for each overlay and pair of hosts that carries it one pair of tasks, in both directions, and the
hosts themselves over the underlay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations

from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import FITS, Kind
from swarmlab.model.mtu import UNDERLAY, MtuPlan, SizeProbe
from swarmlab.model.probe import Endpoint
from swarmlab.model.scenario import Scenario
from swarmlab.probes.session.endpoints import WORKLOADS, on_network


def plan(
    scenario: Scenario, endpoints: Sequence[Endpoint], *, timeout: float, dead: Mapping[str, str] | None = None
) -> MtuPlan:
    """One task stands for all of its host's on an overlay: they share the path. `dead`: endpoints that cannot."""
    wanted = [e for e in scenario.expectations if e.kind is Kind.MTU and e.expected == FITS]
    probes: list[SizeProbe] = []
    for e in wanted:
        probes += _over(e, _standing_for(e.network, endpoints, dead or {}), len(probes))
    crossed = {(t.source_host, t.target_host): None for t in probes}
    hosts = {e.host: e for e in endpoints if e.role == "host"}
    probes += _underlay_probes([pair for pair in crossed if hosts.keys() >= set(pair)], hosts, len(probes))
    used = {end for t in probes for end in (t.source, t.target)}
    return MtuPlan(tuple(probes), {e.id: e for e in endpoints if e.id in used}, timeout)


def _standing_for(network: str, endpoints: Sequence[Endpoint], dead: Mapping[str, str]) -> dict[str, Endpoint]:
    """Host -> the first of its tasks on that network, of those that can vouch for anything if there are any."""
    found: dict[str, Endpoint] = {}
    able = sorted((e for e in endpoints if e.role in WORKLOADS), key=lambda e: (bool(e.impaired) or e.id in dead, e.id))
    for e in able:
        if on_network(e, network):
            found.setdefault(e.host, e)
    return dict(sorted(found.items()))


def _over(e: Expectation, chosen: Mapping[str, Endpoint], first: int) -> Iterator[SizeProbe]:
    for number, (a, b) in enumerate(permutations(chosen.values(), 2), first):
        yield SizeProbe(
            id=number,
            source=a.id,
            target=b.id,
            address=on_network(b, e.network)[0].address,
            network=e.network,
            source_host=a.host,
            target_host=b.host,
            expectation=e,
        )


def _underlay_probes(
    directions: Sequence[tuple[str, str]], hosts: Mapping[str, Endpoint], first: int
) -> Iterator[SizeProbe]:
    for number, (a, b) in enumerate(directions, first):
        address = next((x.address for x in hosts[b].addresses if x.network == UNDERLAY), "")
        if address:
            yield SizeProbe(
                id=number,
                source=hosts[a].id,
                target=hosts[b].id,
                address=address,
                network=UNDERLAY,
                source_host=a,
                target_host=b,
            )
