"""What an overlay's MTU should be where it does not fit: one finding per overlay and pair of hosts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from swarmlab.model.check import Check, Finding, Verdict
from swarmlab.model.mtu import SizeProbe, at_most, option
from swarmlab.probes.mtu.judge import Sizes
from swarmlab.probes.traffic.crossings import ISSUE

OFFLOAD = "look at checksum and segmentation offload on {} and {}: `ethtool -k`"
SOURCE = f"{ISSUE}24906, {ISSUE}34981"


def mtu_findings(sizes: Sizes, checks: Iterable[Check]) -> Iterator[Finding]:
    """Violations of both directions, and of datagrams and transfers, are one fault."""
    violated = {c.id for c in checks if c.verdict is Verdict.FAIL}
    pairs: dict[tuple[str, str, str], list[SizeProbe]] = defaultdict(list)
    for t in sizes.plan.probes:
        if t.expectation is not None:
            pairs[t.network, min(t.source_host, t.target_host), max(t.source_host, t.target_host)].append(t)
    for (network, a, b), probes in sorted(pairs.items()):
        ids = [f"mtu:{network}@{t.source_host}->{t.target_host}{part}" for t in probes for part in ("", "/bulk")]
        wrong = [id_ for id_ in ids if id_ in violated]
        if wrong:
            yield _finding(sizes, network, (a, b), probes, wrong)


def _finding(sizes: Sizes, network: str, pair: tuple[str, str], probes: list[SizeProbe], wrong: list[str]) -> Finding:
    title, layer, best = _limit(sizes, network, f"between {pair[0]} and {pair[1]}", probes)
    fix = (
        _fix(network, pair, best, option(best, encrypted=sizes.encrypted(probes[0]))) if best else OFFLOAD.format(*pair)
    )
    return Finding(
        id=f"mtu:{network}:{'<->'.join(pair)}",
        severity="connectivity",
        title=title + (f": it should be at most {best}" if best else ""),
        hosts=pair,
        layer=layer,
        fix=fix,
        source=f"{', '.join(wrong)}; {SOURCE if best else ISSUE + '41775'}",
    )


def _limit(sizes: Sizes, network: str, between: str, probes: list[SizeProbe]) -> tuple[str, str, int]:
    """What is wrong, on which layer, and the largest MTU that would do (0: the MTU is not to blame)."""
    mtu = max(sizes.evidence(t).mtu for t in probes)
    path = min((b.largest for t in probes if (b := sizes.underlay_probe(t)) is not None), default=0)
    passes = min((e.largest for t in probes if (e := sizes.evidence(t)).small), default=0)
    fits = at_most(path, encrypted=sizes.encrypted(probes[0]))
    if path and fits < mtu:
        return f"the MTU of {network} ({mtu}) does not fit the underlay {between} ({path})", "underlay", fits
    if 0 < passes < mtu:
        layer = "overlay" if path else "underlay"
        return f"{network} (MTU {mtu}) loses packets of more than {passes} bytes {between}", layer, passes
    return f"transfers over {network} stall {between}, though single packets of {mtu} bytes pass", "overlay", 0


def _fix(network: str, pair: tuple[str, str], best: int, value: int) -> str:
    return (
        f'`driver_opts: {{com.docker.network.driver.mtu: "{value}"}}` under networks.{network}, from which the engine takes its headers '
        f"off and gives tasks {best}, and deploy anew (an engine never changes a network that exists); or raise the MTU of the underlay "
        f"between {pair[0]} and {pair[1]}"
    )
