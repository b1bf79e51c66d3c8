"""The wire for a person: per overlay what left the hosts, and what anybody on the underlay could read of it."""

from __future__ import annotations

from collections.abc import Iterator

from swarmlab.model.check import Check, Verdict
from swarmlab.model.report import Report
from swarmlab.reports.text import line, plural

READ = "anybody on the underlay could read: "


def wire_rows(report: Report) -> Iterator[tuple[str, str, str]]:
    """Network, what was proven of it, and an excerpt of what could be read. What is not proven is explained
    elsewhere.
    """
    networks: dict[str, list[Check]] = {}
    for check in report.checks:
        if check.kind == "wire":
            networks.setdefault(check.network, []).append(check)
    for network, checks in networks.items():
        excerpt = next((str(c.evidence["excerpt"]) for c in checks if c.evidence.get("excerpt")), "")
        yield line(network), _proven(checks), f'{READ}"{line(excerpt, 300)}"' if excerpt else ""


def _proven(checks: list[Check]) -> str:
    known = [c for c in checks if c.verdict in (Verdict.PASS, Verdict.FAIL)]
    words = []
    for observed in dict.fromkeys(c.observed for c in known):
        some = [c for c in known if c.observed == observed]
        packets = sum(count for c in some if isinstance(count := c.evidence.get("esp_packets"), int))
        seen = f", {plural(packets, 'ESP packet')}" if observed == "encrypted" else ""
        words.append(f"{observed} on {plural(len(some), 'way')}{seen}")
    unknown = len(checks) - len(known)
    return "; ".join([*words, *([f"not proven on {plural(unknown, 'way')}"] if unknown else [])])
