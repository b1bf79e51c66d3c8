"""Named faults of networks: one for each network that differs from the file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from swarmlab.model.check import Check, Finding, Verdict
from swarmlab.model.check_evidence.network import PropertyEvidence
from swarmlab.model.ids import finding_id


def findings(checks: Iterable[Check]) -> Iterator[Finding]:
    """Each network once, with what differs and on which hosts."""
    wrong: dict[str, list[Check]] = defaultdict(list)
    for c in checks:
        if c.verdict is Verdict.FAIL:
            wrong[c.network].append(c)
    for network, found in wrong.items():
        properties = ", ".join(sorted({c.evidence.property for c in found if isinstance(c.evidence, PropertyEvidence)}))
        yield Finding(
            id=finding_id("network-differs", network),
            severity="confidentiality" if "encrypted" in properties else "connectivity",
            title=f"{network} is not as declared: {properties}",
            hosts=tuple(sorted({c.source_host for c in found if c.source_host})),
            layer="engine",
            fix=f"remove {network} and deploy again: an engine never changes a network that exists",
            source=found[0].explanation,
        )
