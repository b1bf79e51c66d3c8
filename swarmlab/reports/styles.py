"""Colours and words, as data. Every colour only repeats what a symbol or a word says already."""

from __future__ import annotations

from collections.abc import Mapping

from swarmlab.model.check import Verdict
from swarmlab.reports import matrix

STYLE: Mapping[str, str] = {
    matrix.ALLOWED: "green",
    matrix.ISOLATED: "cyan",
    matrix.BOTH: "green",
    matrix.VIOLATED: "bold red",
    matrix.UNPROVEN: "bold yellow",
    matrix.NOTHING: "dim",
    Verdict.PASS: "bold green",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "bold yellow",
    Verdict.ERROR: "bold red",
    "connectivity": "bold red",
    "isolation": "bold red",
    "confidentiality": "bold red",
    "flaky": "bold yellow",
    "info": "bold",
}
WORD: Mapping[Verdict, str] = {
    Verdict.PASS: "PASS",
    Verdict.FAIL: "FAIL",
    Verdict.INCONCLUSIVE: "NOT PROVEN",
    Verdict.ERROR: "ERROR",
}
