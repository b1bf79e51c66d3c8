"""`matrix`: flags become runs, runs become output, files and an exit status."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import jsonschema
import pytest

from swarmlab.errors import ProviderError, UsageError
from swarmlab.events import Bus
from swarmlab.lab.options import UpOptions
from swarmlab.model.matrix import EngineRun
from tests.unit.cli.conftest import Fake, Run
from tests.unit.reports import samples


class FakeMatrix:
    """Answers with runs, and then perhaps with an error."""

    def __init__(self, fake: Fake, *answers: EngineRun | BaseException) -> None:
        self.answers = answers
        self.asked: dict[str, Any] = {}
        fake("matrix.planned_runs", self.planned_runs)
        fake("matrix.provider_for", lambda options, bus: "docker")
        fake("matrix.runs", self.runs)

    def planned_runs(self, options: UpOptions, engines: Sequence[str], *, mixed: bool, keep: bool) -> list[str]:
        self.asked = {"options": options, "engines": engines, "mixed": mixed, "keep": keep}
        return list(engines)

    def runs(self, wanted: list[str], bus: Bus, provider: str, *, keep: bool) -> Iterator[EngineRun]:
        for answer in self.answers:
            if isinstance(answer, BaseException):
                raise answer
            yield answer


CLEAN = EngineRun("20.10", "shop-20-10", {"host1": "20.10"}, replace(samples.passed(), lab="shop-20-10"), 0)
LEAKED = EngineRun("mixed", "shop-mixed", {"host1": "20.10"}, replace(samples.leaked(), lab="shop-mixed"), 1)


def test_flags_become_runs(fake: Fake, run: Run) -> None:
    matrix = FakeMatrix(fake, CLEAN)
    flags = (
        "--engines 20.10,28.5 --no-mixed --keep --provider docker --hosts 2 --name shop --set a=1 --stand-in "
        "--timeout 1 --wait 9"
    )
    assert run("matrix", "three-tier", *flags.split(), "--kernel", "6.1").status == 0
    expected = UpOptions(
        "three-tier",
        "shop",
        "docker",
        None,
        2,
        None,
        "",
        {"a": "1"},
        stand_in=True,
        timeout=1.0,
        wait=9.0,
        kernel="6.1",
    )
    assert matrix.asked == {"options": expected, "engines": ("20.10", "28.5"), "mixed": False, "keep": True}


def test_all_engines_unless_told(fake: Fake, run: Run) -> None:
    matrix = FakeMatrix(fake, CLEAN)
    run("matrix", "three-tier")
    assert (matrix.asked["engines"], matrix.asked["mixed"], matrix.asked["keep"]) == (
        ("20.10", "26.1", "28.5"),
        True,
        False,
    )


def test_status_table_and_files(fake: Fake, run: Run, tmp_path: Path) -> None:
    FakeMatrix(fake, CLEAN, LEAKED)
    ran = run("matrix", "three-tier", "--json", "m.json", "--junit", "m.xml", "--format", "json")
    assert ran.status == 1
    document = json.loads(ran.out)
    assert document == json.loads((tmp_path / "m.json").read_text())
    assert (document["scenario"], document["provider"], document["status"]) == ("three-tier", "docker", 1)
    jsonschema.Draft202012Validator(json.loads(run("schema", "matrix").out)).validate(document)
    assert len(list(Xml.parse(tmp_path / "m.xml").iter("failure"))) == 3
    assert "same on all: 81 checks" in ran.err


@pytest.mark.parametrize(
    ("error", "status", "text"), [(KeyboardInterrupt(), 130, "interrupted"), (ProviderError("no disk"), 3, "no disk")]
)
def test_what_is_known_is_written_however_it_ends(
    fake: Fake, run: Run, tmp_path: Path, error: BaseException, status: int, text: str
) -> None:
    FakeMatrix(fake, CLEAN, error)
    assert run("matrix", "three-tier", "--json", "m.json", "--junit", "m.xml").status == status
    document = json.loads((tmp_path / "m.json").read_text())
    assert (document["error"], len(document["runs"])) == (text, 1)
    assert [e.get("message") for e in Xml.parse(tmp_path / "m.xml").iter("error")] == [text]


def test_a_usage_error_touches_nothing(fake: Fake, run: Run, tmp_path: Path) -> None:
    FakeMatrix(fake)

    def planned_runs(*arguments: object, **rest: object) -> list[str]:
        raise UsageError("there is a lab 'shop-20-10' already")

    fake("matrix.planned_runs", planned_runs)
    assert run("matrix", "three-tier", "--json", "m.json").status == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("engines", "text"),
    [
        ("20.10,9", "'9' is not one of '20.10', '26.1', '28.5'"),
        ("20.10,20.10", "one engine is given twice"),
        ("", "''"),
    ],
)
def test_engines_that_cannot_be(fake: Fake, run: Run, engines: str, text: str) -> None:
    FakeMatrix(fake)
    ran = run("matrix", "three-tier", "--engines", engines)
    assert ran.status == 2
    assert text in " ".join(ran.err.split())
