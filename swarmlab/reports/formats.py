"""The table of formats in which a report can be written. Writers are imported when used: a command must start fast."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from swarmlab.model.matrix import EngineMatrix
from swarmlab.model.report import Report

TABLE = "table"  # for people, on standard output; console.py and matrix_console.py, which are no writers of files


@dataclass(frozen=True)
class Format:
    """A row: `--NAME FILE` writes it, and `--format NAME` prints it if `printed`.

    `report` and `matrix` are the writers, as MODULE:FUNCTION in this room: each makes text of a Report or an
    EngineMatrix. Without the second, `swarmlab matrix` does not have the format.
    """

    name: str
    help: str
    report: str
    matrix: str = ""
    printed: bool = False


FORMATS = (
    Format("json", "Also write the report as JSON.", "as_json:dump", "matrix_json:dump", printed=True),
    Format(
        "junit",
        "Also write it as JUnit XML; what is not proven is an error there.",
        "junit:to_xml",
        "junit:matrix_to_xml",
    ),
    Format("html", "Also write it as a page.", "html:to_html"),
)


def text(name: str, document: Report | EngineMatrix) -> str:
    """A report or a matrix as text in the format of this name. Raises KeyError if the table has none."""
    row = {row.name: row for row in FORMATS}[name]
    module, _, function = (row.matrix if isinstance(document, EngineMatrix) else row.report).partition(":")
    written: str = getattr(importlib.import_module(f"swarmlab.reports.{module}"), function)(document)
    return written
