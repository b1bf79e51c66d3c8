"""Kinds that are about what passes between hosts, for a person: per network what was proven, and what could be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from swarmlab.model.check import Check, Verdict
from swarmlab.model.kinds import KINDS, Shown
from swarmlab.model.report import Report
from swarmlab.reports.text import line, plural

READ = "anybody on the underlay could read: "


def network_lines(report: Report) -> Iterator[tuple[str, str, str]]:
    """Network, what was proven of it, and an excerpt of what could be read. What is not proven is explained
    elsewhere.
    """
    networks: dict[tuple[str, str], list[Check]] = {}
    for check in report.checks:
        if check.kind in KINDS and KINDS[check.kind].row.shown is Shown.NETWORKS:
            networks.setdefault((check.kind, check.network), []).append(check)
    for (_, network), checks in networks.items():
        excerpt = next((c.evidence.readable for c in checks if c.evidence.readable), "")
        yield line(network), _proven(checks), f'{READ}"{line(excerpt, 300)}"' if excerpt else ""


def _proven(checks: list[Check]) -> str:
    known = [c for c in checks if c.verdict in (Verdict.PASS, Verdict.FAIL)]
    words = []
    for observed in dict.fromkeys(c.observed for c in known):
        some = [c for c in known if c.observed == observed]
        counted: Counter[str] = Counter()
        for check in some:
            counted.update(check.evidence.counted(observed))
        support = "".join(f", {plural(count, noun)}" for noun, count in counted.items())
        words.append(f"{observed} on {plural(len(some), 'way')}{support}")
    unknown = len(checks) - len(known)
    return "; ".join([*words, *([f"not proven on {plural(unknown, 'way')}"] if unknown else [])])
