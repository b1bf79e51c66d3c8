"""The JSON report: its schema holds, and it can be read back."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmlab.errors import UsageError
from swarmlab.model.check import Check, Finding, Verdict
from swarmlab.model.check_evidence import saved
from swarmlab.model.check_evidence.base import PlainEvidence
from swarmlab.model.host import HostFacts
from swarmlab.model.report import Report
from swarmlab.reports import as_json
from tests.unit.reports import samples

TEXT = st.text(max_size=12)
EVIDENCE = st.dictionaries(
    TEXT, st.none() | st.booleans() | st.integers() | TEXT | st.lists(TEXT, max_size=2), max_size=3
)
CHECKS = st.builds(
    Check,
    id=TEXT,
    kind=TEXT,
    source=TEXT,
    target=TEXT,
    network=TEXT,
    protocol=TEXT,
    port=st.integers(0, 65535),
    expected=TEXT,
    observed=TEXT,
    verdict=st.sampled_from(Verdict),
    because=TEXT,
    explanation=TEXT,
    source_service=TEXT,
    target_service=TEXT,
    source_host=TEXT,
    target_host=TEXT,
    evidence=st.builds(saved.read, st.just(""), EVIDENCE),
)
SEVERITY = st.sampled_from(["connectivity", "isolation", "confidentiality", "flaky", "info"])
FINDINGS = st.builds(
    Finding, id=TEXT, severity=SEVERITY, title=TEXT, hosts=st.tuples(TEXT), layer=TEXT, fix=TEXT, source=TEXT
)
REPORTS = st.builds(
    Report,
    lab=TEXT,
    scenario=TEXT,
    provider=TEXT,
    hosts=st.tuples(st.builds(HostFacts, TEXT, TEXT, TEXT, TEXT, st.tuples(TEXT))),
    checks=st.lists(CHECKS, max_size=3).map(tuple),
    findings=st.lists(FINDINGS, max_size=2).map(tuple),
    timings=st.dictionaries(TEXT, st.integers(0, 9999).map(float), max_size=2),
    error=TEXT,
    started=TEXT,
    attempts=st.integers(0, 9),
    services=st.tuples(TEXT),
)


@given(REPORTS)
def test_what_is_written_can_be_read_and_fits_the_schema(report: Report) -> None:
    document = json.loads(as_json.dump(report))
    jsonschema.validate(document, as_json.schema())
    assert as_json.from_dict(document) == report


@pytest.mark.parametrize(
    "report", [samples.passed(), samples.mixed(), samples.crashed()], ids=["pass", "mixed", "crashed"]
)
def test_real_reports_fit_the_schema(report: Report) -> None:
    jsonschema.Draft202012Validator.check_schema(as_json.schema())
    jsonschema.validate(as_json.to_dict(report), as_json.schema())
    assert as_json.load(as_json.dump(report)) == report


def test_the_names_are_the_contracts() -> None:
    document = as_json.to_dict(samples.mixed())
    assert document["schema"] == "swarmlab.report/1"
    assert document["verdict"] == "fail"
    assert document["summary"] == {"pass": 78, "fail": 3, "inconclusive": 3}
    check = next(c for c in document["checks"] if c["verdict"] == "fail")
    assert (check["from"], check["to"]) == ("front.1", "db.1")
    assert (check["from_service"], check["to_service"], check["from_host"], check["to_host"]) == (
        "front",
        "db",
        "host1",
        "host3",
    )
    assert "source" not in check


def test_schema_rejects_what_is_not_a_report() -> None:
    document = as_json.to_dict(samples.passed())
    for broken in (
        {**document, "verdict": "green"},
        {**document, "schema": "other/1"},
        {k: v for k, v in document.items() if k != "checks"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, as_json.schema())


def test_evidence_that_json_does_not_know_does_not_stop_the_report() -> None:
    odd: dict[Any, object] = {
        "set": {"b", "a"},
        "nan": math.nan,
        "verdict": Verdict.FAIL,
        7: (1, 2),
        "bytes": b"x",
        "lone": "\ud800",
    }
    report = replace(
        samples.passed(), checks=(replace(samples.passed().checks[0], evidence=PlainEvidence(values=odd)),)
    )
    evidence = json.loads(as_json.dump(report))["checks"][0]["evidence"]
    assert evidence == {
        "set": ["a", "b"],
        "nan": None,
        "verdict": "fail",
        "7": [1, 2],
        "bytes": "b'x'",
        "lone": "\ud800",
    }
    as_json.dump(report).encode("ascii")


def change(path: tuple[str | int, ...], value: object) -> Callable[[dict[str, Any]], None]:
    """Put a value somewhere into a document."""

    def apply(document: dict[str, Any]) -> None:
        place: Any = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return apply


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            change(("schema",), "swarmlab.report/9"),
            "not a report that this version reads: schema is 'swarmlab.report/9'",
        ),
        (change(("checks",), 3), "report.checks: expected list, found int"),
        (change(("checks", 1), "x"), "report.checks[1]: expected an object, found str"),
        (
            change(("checks", 0, "verdict"), "green"),
            "report.checks[0].verdict: 'green' is none of pass, fail, inconclusive, error",
        ),
        (change(("hosts", 0, "name"), None), "report.hosts[0].name: expected str, found NoneType"),
        (change(("checks", 0, "port"), True), "report.checks[0].port: expected int, found bool"),
    ],
)
def test_a_damaged_report_is_named_by_its_field(spoil: Callable[[dict[str, Any]], None], message: str) -> None:
    document = json.loads(as_json.dump(samples.passed()))
    spoil(document)
    with pytest.raises(UsageError, match="^" + message.replace("[", r"\[").replace(".", r"\.")):
        as_json.from_dict(document)


@pytest.mark.parametrize("text", ["", "{", "[1]", "[" * 100_000, "null"])
def test_what_is_no_json_at_all_is_a_message_too(text: str) -> None:
    with pytest.raises(UsageError):
        as_json.load(text)
