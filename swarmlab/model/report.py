"""The report of one run, finished or crashed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from swarmlab import errors
from swarmlab.model.check import Check, Finding, Verdict
from swarmlab.model.host import HostFacts

SCHEMA = "swarmlab.report/1"


@dataclass(frozen=True)
class Report:
    """What a run found. `error` is what ended it early, "" if nothing did."""

    lab: str
    scenario: str
    provider: str
    hosts: tuple[HostFacts, ...] = ()
    checks: tuple[Check, ...] = ()
    findings: tuple[Finding, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    error: str = ""
    started: str = ""
    attempts: int = 1
    services: tuple[str, ...] = ()

    @property
    def summary(self) -> dict[str, int]:
        """How many checks have each verdict."""
        count = Counter(check.verdict for check in self.checks)
        return {str(v): count[v] for v in (Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE)}

    @property
    def verdict(self) -> Verdict:
        """The worst of all; a run without a single check proves nothing, so it is inconclusive."""
        if self.error:
            return Verdict.ERROR
        verdicts = {check.verdict for check in self.checks}
        if Verdict.FAIL in verdicts:
            return Verdict.FAIL
        return Verdict.PASS if verdicts == {Verdict.PASS} else Verdict.INCONCLUSIVE

    @property
    def exit_status(self) -> int:
        """What the program ends with: 0 all proven, 1 violated, 3 ended by an error, 4 something not proven."""
        return {
            Verdict.PASS: errors.OK,
            Verdict.FAIL: errors.VIOLATED,
            Verdict.INCONCLUSIVE: errors.UNPROVEN,
            Verdict.ERROR: errors.UNBUILDABLE,
        }[self.verdict]
