"""The engine matrix as JSON: schema swarmlab.matrix/1, with each run's whole report inside."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from swarmlab.model.matrix import SCHEMA, EngineMatrix, EngineRun
from swarmlab.reports import as_json
from swarmlab.reports.differences import differences


def to_dict(matrix: EngineMatrix) -> dict[str, Any]:
    """The matrix as plain JSON values."""
    found = differences(matrix)
    return {
        "schema": SCHEMA,
        "scenario": matrix.scenario,
        "provider": matrix.provider,
        "started": matrix.started,
        "status": matrix.status,
        "error": matrix.error,
        "compared": [run.name for run in matrix.compared],
        "same": found.same,
        "differences": [{"id": check, "results": row} for check, row in found.rows.items()],
        "runs": [_run(run) for run in matrix.runs],
    }


def _run(run: EngineRun) -> dict[str, Any]:
    head = {"name": run.name, "lab": run.lab, "engines": dict(run.engines), "status": run.status, "kept": run.kept}
    return {**head, "report": as_json.to_dict(run.report)}


def dump(matrix: EngineMatrix) -> str:
    """One JSON document, ASCII only."""
    return json.dumps(to_dict(matrix), indent=1, allow_nan=False) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of the matrix, with the report's own inside: relative ids would be resolved differently by each
    validator.
    """
    text = resources.files("swarmlab.reports").joinpath("matrix_schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    report = as_json.schema()
    parts = report.pop("$defs")
    inside = {key: value for key, value in report.items() if key not in ("$id", "$schema")}
    return {**loaded, "$defs": {**parts, **loaded["$defs"], "report": inside}}
