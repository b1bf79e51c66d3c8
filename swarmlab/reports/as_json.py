"""The report as JSON, and back: schema swarmlab.report/1, described in docs/report-format.md."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from swarmlab.model.check import Check, Finding
from swarmlab.model.host import HostFacts
from swarmlab.model.plain import plain
from swarmlab.model.report import SCHEMA, Report
from swarmlab.reports.from_json import RENAMED, from_dict, load

__all__ = ["check_to_dict", "dump", "from_dict", "load", "schema", "to_dict"]


def check_to_dict(check: Check) -> dict[str, Any]:
    """One check, with the report's names."""
    values = {**vars(check), "evidence": check.evidence.to_json()}
    return {RENAMED.get(key, key): value if key == "evidence" else plain(value) for key, value in values.items()}


def host_to_dict(host: HostFacts) -> dict[str, Any]:
    """One host, with the report's names."""
    named = {"missing_features": "lacks"}
    return {named.get(key, key): plain(value) for key, value in vars(host).items()}


def to_dict(report: Report) -> dict[str, Any]:
    """The report as plain JSON values."""
    return {
        "schema": SCHEMA,
        "lab": report.lab,
        "scenario": report.scenario,
        "provider": report.provider,
        "started": report.started,
        "verdict": str(report.verdict),
        "error": report.error,
        "attempts": report.attempts,
        "summary": report.summary,
        "timings": {phase: round(seconds, 3) for phase, seconds in report.timings.items()},
        "services": list(report.services),
        "hosts": [host_to_dict(host) for host in report.hosts],
        "checks": [check_to_dict(check) for check in report.checks],
        "findings": [finding_to_dict(finding) for finding in report.findings],
    }


def finding_to_dict(finding: Finding) -> dict[str, Any]:
    """One finding."""
    return {key: plain(value) for key, value in vars(finding).items()}


def dump(report: Report) -> str:
    """The report as one JSON document. ASCII only, so that no terminal, locale or lone surrogate can spoil it.

    One line per check: that diffs well, and ten thousand of them are encoded in C (json's indentation is not).
    """
    return (
        "{\n" + ",\n".join(f"  {json.dumps(key)}: {_value(value)}" for key, value in to_dict(report).items()) + "\n}\n"
    )


def _value(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return json.dumps(value, allow_nan=False)
    return "[\n" + ",\n".join(f"    {json.dumps(item, allow_nan=False)}" for item in value) + "\n  ]"


def schema() -> dict[str, Any]:
    """The JSON Schema of the report."""
    text = resources.files("swarmlab.reports").joinpath("schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
