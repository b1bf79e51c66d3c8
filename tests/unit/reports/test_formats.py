"""The table of report formats: every writer is found, and every format has its flag."""

from __future__ import annotations

import click
import pytest

from swarmlab.cli.flags import FILES, OUTPUT
from swarmlab.model.matrix import EngineMatrix, EngineRun
from swarmlab.reports.formats import FORMATS, TABLE, Format, text
from tests.unit.reports import samples


def options(*flags: object) -> dict[str, click.Option]:
    """Of a command with these flags."""

    def command() -> None: ...

    for flag in flags:
        assert callable(flag)
        flag(command)
    return {option.name or "": option for option in getattr(command, "__click_params__")}  # noqa: B009


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_every_writer_makes_text(row: Format) -> None:
    report = samples.passed()
    assert "front" in text(row.name, report)
    if row.matrix:
        matrix = EngineMatrix("three-tier", "docker", runs=(EngineRun("20.10", "shop-20.10", {}, report, 0),))
        assert "front" in text(row.name, matrix)


def test_every_format_has_its_flag() -> None:
    found = options(*OUTPUT)
    assert set(found) == {"format", *(row.name for row in FORMATS)}
    assert all(found[row.name].help == row.help for row in FORMATS)
    assert isinstance(found["format"].type, click.Choice)
    assert list(found["format"].type.choices) == [TABLE, *(row.name for row in FORMATS if row.printed)]


def test_a_matrix_has_the_formats_that_can_hold_one() -> None:
    assert set(options(*FILES)) == {"format", *(row.name for row in FORMATS if row.matrix)}


def test_a_name_that_the_table_does_not_have() -> None:
    with pytest.raises(KeyError):
        text("no-such-format", samples.passed())
