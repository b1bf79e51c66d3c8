"""The same scenario on several engines, one run after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from swarmlab import errors
from swarmlab.model.report import Report

SCHEMA = "swarmlab.matrix/1"
WORST = (errors.UNBUILDABLE, errors.VIOLATED, errors.UNPROVEN, errors.OK)


@dataclass(frozen=True)
class EngineRun:
    """One run. `name` heads its column: an engine's version, or `mixed`; `engines` is what each host was to run;
    `kept`: its lab exists.
    """

    name: str
    lab: str
    engines: Mapping[str, str]
    report: Report
    status: int
    kept: bool = False


@dataclass(frozen=True)
class EngineMatrix:
    """All runs. `error` is what ended the matrix before its last run, "" if nothing did."""

    scenario: str
    provider: str
    started: str = ""
    runs: tuple[EngineRun, ...] = ()
    error: str = ""

    @property
    def status(self) -> int:
        """The worst of the runs: not built, violated, not proven, proven. No run at all proves nothing."""
        if self.error:
            return errors.UNBUILDABLE
        found = {run.status for run in self.runs}
        if found - set(WORST):
            return errors.UNBUILDABLE
        return next((status for status in WORST if status in found), errors.UNPROVEN)

    @property
    def compared(self) -> tuple[EngineRun, ...]:
        """The runs that got as far as checks: there is nothing to compare with the others."""
        return tuple(run for run in self.runs if run.report.checks)
