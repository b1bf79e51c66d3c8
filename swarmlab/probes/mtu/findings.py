"""What an overlay's MTU should be where it does not fit: one finding per overlay and pair of hosts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from swarmlab.model.check import Check, Finding, Verdict
from swarmlab.model.ids import between, finding_id
from swarmlab.model.mtu import SizeProbe, at_most, option
from swarmlab.probes.mtu.facts import Sizes
from swarmlab.probes.session.sources import ISSUE

OFFLOAD = "look at checksum and segmentation offload on {} and {}: `ethtool -k`"
SOURCE = f"{ISSUE}24906, {ISSUE}34981"


def mtu_findings(sizes: Sizes, checks: Iterable[Check]) -> Iterator[Finding]:
    """Violations of both directions, and of datagrams and transfers, are one fault."""
    violated: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for c in checks:
        if c.verdict is Verdict.FAIL:
            violated[c.network, min(c.source_host, c.target_host), max(c.source_host, c.target_host)].append(c.id)
    for (network, a, b), ids in sorted(violated.items()):
        probes = [
            p
            for p in sizes.plan.probes
            if p.expectation is not None and p.network == network and {p.source_host, p.target_host} == {a, b}
        ]
        yield _finding(sizes, network, (a, b), probes, ids)


def _finding(sizes: Sizes, network: str, hosts: tuple[str, str], probes: list[SizeProbe], wrong: list[str]) -> Finding:
    title, layer, best = _limit(sizes, network, f"between {hosts[0]} and {hosts[1]}", probes)
    value = option(best, encrypted=sizes.encrypted(probes[0]))
    return Finding(
        id=finding_id("mtu", network, between(*hosts)),
        severity="connectivity",
        title=title + (f": it should be at most {best}" if best else ""),
        hosts=hosts,
        layer=layer,
        fix=_fix(network, hosts, best, value) if best else OFFLOAD.format(*hosts),
        source=f"{', '.join(wrong)}; {SOURCE if best else ISSUE + '41775'}",
    )


def _limit(sizes: Sizes, network: str, where: str, probes: list[SizeProbe]) -> tuple[str, str, int]:
    """What is wrong, on which layer, and the largest MTU that would do (0: the MTU is not to blame)."""
    mtu = max(sizes.evidence(t).mtu for t in probes)
    path = min((b.largest for t in probes if (b := sizes.underlay_probe(t)) is not None), default=0)
    passes = min((e.largest for t in probes if (e := sizes.evidence(t)).small), default=0)
    fits = at_most(path, encrypted=sizes.encrypted(probes[0]))
    if path and fits < mtu:
        return f"the MTU of {network} ({mtu}) does not fit the underlay {where} ({path})", "underlay", fits
    if 0 < passes < mtu:
        layer = "overlay" if path else "underlay"
        return f"{network} (MTU {mtu}) loses packets of more than {passes} bytes {where}", layer, passes
    return f"transfers over {network} stall {where}, though single packets of {mtu} bytes pass", "overlay", 0


def _fix(network: str, hosts: tuple[str, str], best: int, value: int) -> str:
    return (
        f'`driver_opts: {{com.docker.network.driver.mtu: "{value}"}}` under networks.{network}, from which the engine '
        f"takes its headers off and gives tasks {best}, and deploy anew (an engine never changes a network that exists)"
        f"; or raise the MTU of the underlay between {hosts[0]} and {hosts[1]}"
    )
