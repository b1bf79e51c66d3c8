"""What differs between the runs of a matrix: check by check, what the JSON and the terminal both show."""

from __future__ import annotations

from dataclasses import dataclass

from swarmlab.model.matrix import EngineMatrix
from swarmlab.reports.matrix import NOTHING, symbol


@dataclass(frozen=True)
class Differences:
    """`rows`: check -> run -> symbol, of the checks that did not come out the same everywhere; `same` counts the
    others.
    """

    rows: dict[str, dict[str, str]]
    same: int


def differences(matrix: EngineMatrix) -> Differences:
    """Over the runs that were measured; a check that a run does not have differs, and shows as nothing to measure."""
    found: dict[str, dict[str, str]] = {}
    for run in matrix.compared:
        for check in run.report.checks:
            found.setdefault(check.id, {})[run.name] = symbol(check)
    whole = {check: {run.name: row.get(run.name, NOTHING) for run in matrix.compared} for check, row in found.items()}
    rows = {check: row for check, row in whole.items() if len(set(row.values())) > 1}
    return Differences(rows, len(whole) - len(rows))
