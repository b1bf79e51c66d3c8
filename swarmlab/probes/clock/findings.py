"""The named fault of clocks: one finding for all hosts whose clock differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from swarmlab.model.check import Check, Finding, Verdict
from swarmlab.model.ids import finding_id


def findings(checks: Iterable[Check]) -> Iterator[Finding]:
    """Which hosts, and what to do."""
    wrong = [check for check in checks if check.verdict is Verdict.FAIL]
    if wrong:
        hosts = tuple(check.source_host for check in wrong)
        yield Finding(
            id=finding_id("clock-skew"),
            severity="connectivity",
            title=f"clocks differ: {', '.join(hosts)}",
            hosts=hosts,
            layer="host",
            fix="set the time there and keep it, for example with `timedatectl set-ntp true`: "
            "a node does not join with a certificate that is not valid yet by its clock",
            source=f"{wrong[0].explanation} https://github.com/moby/moby/issues/25112",
        )
