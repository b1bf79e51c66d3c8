"""The engine matrix as text, JSON and JUnit."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from xml.etree import ElementTree as Xml

import jsonschema
from rich.console import Console

from swarmlab.model.matrix import EngineMatrix, EngineRun
from swarmlab.model.report import Report
from swarmlab.reports import as_json, matrix_json
from swarmlab.reports.differences import differences
from swarmlab.reports.junit import to_xml
from swarmlab.reports.matrix_console import MOST_ROWS, render
from tests.unit.reports import samples


def run(name: str, report: Report, status: int, kept: bool = False) -> EngineRun:
    return EngineRun(name, f"shop-{name}", {"host1": name, "host2": name}, report, status, kept)


def several() -> EngineMatrix:
    """One clean, one that leaks, one that could not be built."""
    crashed = replace(samples.crashed(), hosts=(), error="the node image cannot be built:\n  E: expired")
    runs = (run("20.10", samples.passed(), 0), run("26.1", samples.leaked(), 1, kept=True), run("28.5", crashed, 3))
    return EngineMatrix("three-tier", "docker", "2026-01-01T00:00:00+00:00", runs)


def as_text(matrix: EngineMatrix, width: int = 80) -> str:
    stream = io.StringIO()
    render(matrix, Console(file=stream, width=width, color_system=None, force_terminal=False))
    return stream.getvalue()


def test_only_what_differs_is_shown_and_the_rest_is_counted() -> None:
    text = as_text(several())
    assert "differs                        20.10  26.1" in text
    assert "reach:front.1->db.1@back/tcp   --     XX\n" in text
    assert text.count("reach:front.1->db.1") == 3
    assert "same on 20.10, 26.1: 81 checks" in text
    assert max(map(len, text.splitlines())) <= 80


def test_each_run_says_how_it_ended_and_why() -> None:
    text = as_text(several())
    assert "20.10  PASS        84 checks: 84 proven, 0 violated, 0 inconclusive   10.8 s" in text
    assert "28.5   ERROR       0 checks" in text
    assert "the node image cannot be built:" in text
    assert "E: expired" in text
    assert "XX reach front -> db (3 checks): front.1 reached 10.0.2.3 of db.1" in text
    assert "; kept" in text
    assert text.rstrip().endswith("ERROR  28.5")


def test_all_the_same() -> None:
    matrix = EngineMatrix(
        "three-tier", "docker", runs=(run("20.10", samples.passed(), 0), run("mixed", samples.passed(), 0))
    )
    assert "same on all: 84 checks; nothing differs" in as_text(matrix)
    assert as_text(matrix).rstrip().endswith("PASS")


def test_one_that_was_measured_is_compared_with_nothing() -> None:
    assert "nothing to compare: only 20.10 was measured" in as_text(
        EngineMatrix("shop", "docker", runs=several().runs[::2])
    )
    assert "nothing to compare: no run was measured" in as_text(EngineMatrix("shop", "docker", error="interrupted"))


def test_a_check_that_one_run_does_not_have_differs() -> None:
    fewer = replace(samples.passed(), checks=samples.passed().checks[1:])
    matrix = EngineMatrix("shop", "docker", runs=(run("a", samples.passed(), 0), run("b", fewer, 0)))
    assert differences(matrix).rows == {samples.passed().checks[0].id: {"a": "ok", "b": "."}}


def test_what_is_too_long_to_read_is_counted() -> None:
    nothing = replace(samples.passed(), checks=samples.passed().checks[:1])
    text = as_text(EngineMatrix("shop", "docker", runs=(run("a", samples.passed(), 0), run("b", nothing, 0))))
    assert f"… and {83 - MOST_ROWS} more: see --json" in text


def test_json_follows_its_schema_and_has_the_reports_inside() -> None:
    document = json.loads(matrix_json.dump(several()))
    schema = matrix_json.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)
    assert (document["status"], document["same"], document["compared"]) == (3, 81, ["20.10", "26.1"])
    assert document["differences"][0] == {
        "id": "reach:front.1->db.1@back/tcp",
        "results": {"20.10": "--", "26.1": "XX"},
    }
    assert as_json.from_dict(document["runs"][1]["report"]) == samples.leaked()


def test_junit_keeps_the_runs_apart() -> None:
    root = Xml.fromstring(to_xml(*(replace(r.report, lab=r.lab) for r in several().runs)))
    assert [s.get("name") for s in root] == [
        "shop-20.10: reach",
        "shop-20.10: name",
        "shop-26.1: reach",
        "shop-26.1: name",
        "shop-28.5: swarmlab",
    ]
    assert len(list(root.iter("failure"))) == 3
    assert len(list(root.iter("error"))) == 1
