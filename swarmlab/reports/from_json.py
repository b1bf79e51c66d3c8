"""A saved report read back. The file may have been edited or cut short: each surprise is named, none is a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from swarmlab.errors import UsageError
from swarmlab.model.check import Check, Finding, Verdict
from swarmlab.model.check_evidence import saved
from swarmlab.model.host import HostFacts
from swarmlab.model.report import SCHEMA, Report

# Report names that are not the model's: `from` cannot be an attribute of a Python class.
RENAMED = {
    "source": "from",
    "target": "to",
    "source_service": "from_service",
    "target_service": "to_service",
    "source_host": "from_host",
    "target_host": "to_host",
}
FIX = "run `swarmlab verify` to measure anew"
Made = TypeVar("Made")


class _Fields:
    """One JSON object, read field by field with the type that each must have."""

    def __init__(self, data: object, where: str) -> None:
        if not isinstance(data, Mapping):
            raise UsageError(f"{where}: expected an object, found {type(data).__name__}", fix=FIX)
        self.data, self.where = data, where

    def _get(self, key: str, kinds: tuple[type, ...], empty: Any) -> Any:
        value = self.data.get(key, empty)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise UsageError(f"{self.where}.{key}: expected {wanted}, found {type(value).__name__}", fix=FIX)
        return value

    def text(self, key: str) -> str:
        """A string; "" when absent."""
        return str(self._get(key, (str,), ""))

    def number(self, key: str) -> int:
        """A whole number; 0 when absent."""
        return int(self._get(key, (int,), 0))

    def mapping(self, key: str) -> dict[str, Any]:
        """An object; {} when absent."""
        return dict(self._get(key, (dict,), {}))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; () when absent."""
        return tuple(str(item) for item in self._get(key, (list,), []))

    def each(self, key: str, make: Callable[[_Fields], Made]) -> tuple[Made, ...]:
        """A list of objects, each made into something; () when absent."""
        return tuple(
            make(_Fields(item, f"{self.where}.{key}[{index}]"))
            for index, item in enumerate(self._get(key, (list,), []))
        )


def _host(data: _Fields) -> HostFacts:
    return HostFacts(
        data.text("name"), data.text("address"), data.text("engine"), data.text("kernel"), data.texts("lacks")
    )


def _verdict(data: _Fields) -> Verdict:
    value = data.text("verdict")
    if value not in {str(verdict) for verdict in Verdict}:
        raise UsageError(f"{data.where}.verdict: {value!r} is none of {', '.join(map(str, Verdict))}")
    return Verdict(value)


def _check(data: _Fields) -> Check:
    names = ("id", "kind", "network", "protocol", "expected", "observed", "because", "explanation", *RENAMED)
    texts = {name: data.text(RENAMED.get(name, name)) for name in names}
    evidence = saved.read(texts["kind"], data.mapping("evidence"))
    return Check(**texts, port=data.number("port"), verdict=_verdict(data), evidence=evidence)


def _finding(data: _Fields) -> Finding:
    names = ("id", "severity", "title", "layer", "fix", "source")
    return Finding(**{name: data.text(name) for name in names}, hosts=data.texts("hosts"))


def from_dict(data: object) -> Report:
    """A saved report as a value; UsageError names the field that is not as it should be."""
    fields = _Fields(data, "report")
    if fields.text("schema") != SCHEMA:
        raise UsageError(
            f"not a report that this version reads: schema is {fields.text('schema')!r}, expected {SCHEMA!r}"
        )
    return Report(
        lab=fields.text("lab"),
        scenario=fields.text("scenario"),
        provider=fields.text("provider"),
        hosts=fields.each("hosts", _host),
        checks=fields.each("checks", _check),
        findings=fields.each("findings", _finding),
        timings={
            phase: float(value) for phase, value in fields.mapping("timings").items() if isinstance(value, int | float)
        },
        error=fields.text("error"),
        started=fields.text("started"),
        attempts=fields.number("attempts"),
        services=fields.texts("services"),
    )


def load(text: str) -> Report:
    """A report from its JSON text; UsageError when it is none."""
    try:
        return from_dict(json.loads(text))
    except (ValueError, RecursionError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"not a saved report: {error}", fix=FIX) from error
