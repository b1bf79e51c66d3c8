"""Who can talk to whom, as cells: what console and HTML both show, without a word about how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from swarmlab.model.check import Check, Verdict
from swarmlab.model.kinds import DENY, KINDS, Shown
from swarmlab.model.report import Report

ALLOWED, ISOLATED, VIOLATED, UNPROVEN, NOTHING, BOTH = "ok", "--", "XX", "??", ".", "ok/--"
LEGEND = {
    ALLOWED: "allowed, proven",
    ISOLATED: "isolated, proven",
    BOTH: "each as expected: allowed on some networks, isolated on others",
    VIOLATED: "violated",
    UNPROVEN: "not proven",
    NOTHING: "nothing to measure",
}


@dataclass(frozen=True)
class Cell:
    """What is known of one ordered pair; `symbol` is the worst of its checks, `text` adds how many of them when they
    differ.
    """

    symbol: str
    text: str


@dataclass(frozen=True)
class Matrix:
    """One kind's cells. Rows are senders, columns are targets, both in the order of `names`."""

    kind: str
    protocols: tuple[str, ...]
    names: tuple[str, ...]
    cells: dict[tuple[str, str], Cell]

    def cell(self, source: str, target: str) -> Cell:
        """That pair's cell; nothing to measure when it has no check."""
        return self.cells.get((source, target), Cell(NOTHING, NOTHING))

    @property
    def symbols(self) -> tuple[str, ...]:
        """Those that occur, in the order of the legend."""
        used = {self.cell(a, b).symbol for a in self.names for b in self.names}
        return tuple(symbol for symbol in LEGEND if symbol in used)


def symbol(check: Check) -> str:
    """The symbol of one check."""
    if check.verdict is Verdict.PASS:
        return ISOLATED if check.expected == DENY else ALLOWED
    return VIOLATED if check.verdict is Verdict.FAIL else UNPROVEN


def aggregate(symbols: Iterable[str]) -> Cell:
    """Several checks in one cell: the worst shows, with its share.

    >>> aggregate(["XX", "ok", "ok"]).text, aggregate(["ok", "ok"]).text, aggregate(["ok", "--"]).text
    ('XX 1/3', 'ok', 'ok/--')
    """
    count = Counter(symbols)
    for worst in (VIOLATED, UNPROVEN):
        if count[worst]:
            return Cell(worst, worst if count[worst] == count.total() else f"{worst} {count[worst]}/{count.total()}")
    if len(count) > 1:
        return Cell(BOTH, BOTH)
    only = next(iter(count), NOTHING)
    return Cell(only, only)


def ends(check: Check) -> tuple[str, str]:
    """The services at both ends; the endpoints themselves where there is no service."""
    return check.source_service or check.source, check.target_service or check.target


def is_matrix(kind: str) -> bool:
    """Whether that kind is shown as a matrix; one that only a later version knows is not."""
    return kind in KINDS and KINDS[kind].row.shown is Shown.MATRIX


def matrix(report: Report, kind: str) -> Matrix:
    """The cells of one kind, all protocols together."""
    checks = [check for check in report.checks if check.kind == kind]
    present = dict.fromkeys(end for check in checks for end in ends(check))
    names = [name for name in report.services if name in present]
    grouped: dict[tuple[str, str], list[str]] = {}
    for check in checks:
        grouped.setdefault(ends(check), []).append(symbol(check))
    return Matrix(
        kind,
        tuple(dict.fromkeys(check.protocol for check in checks if check.protocol)),
        tuple(dict.fromkeys([*names, *present])),
        {pair: aggregate(symbols) for pair, symbols in grouped.items()},
    )


def tally(report: Report, kind: str) -> dict[str, int]:
    """How many checks of a kind have each symbol; for kinds without allow and deny a pass is `ok`."""
    count = Counter(symbol(check) for check in report.checks if check.kind == kind)
    return {symbol: count[symbol] for symbol in LEGEND if count[symbol]}


def kinds(report: Report) -> tuple[str, ...]:
    """The kinds that were checked, in the order in which they came."""
    return tuple(dict.fromkeys(check.kind for check in report.checks))
