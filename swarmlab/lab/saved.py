"""The last report of a lab, kept beside its state."""

from __future__ import annotations

from swarmlab.errors import LabUnknown, UsageError
from swarmlab.lab import home, state
from swarmlab.model.report import Report
from swarmlab.reports import as_json


def keep(report: Report) -> None:
    """Replace the last report."""
    home.write(home.lab_directory(report.lab) / "report.json", as_json.dump(report))


def last_report(lab: str | None) -> Report:
    """Raises LabUnknown when there is no lab, or it has not been measured yet."""
    known = state.require(lab)
    path = known.directory / "report.json"
    if not path.exists():
        raise LabUnknown(f"lab {known.lab!r} has no report yet", fix=f"`swarmlab verify {known.lab}` makes one")
    try:
        return as_json.load(path.read_text(encoding="utf-8"))
    except ValueError as error:  # UsageError is one, and so is text that is not UTF-8
        what = error.message if isinstance(error, UsageError) else str(error)
        raise UsageError(f"{path}: damaged ({what})", fix=f"`swarmlab verify {known.lab}` makes a new one") from error
