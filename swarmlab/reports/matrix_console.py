"""The engine matrix for a terminal: how each run ended, the checks that differ, and how many do not."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from swarmlab import errors
from swarmlab.model.check import Verdict
from swarmlab.model.matrix import EngineMatrix, EngineRun
from swarmlab.reports.console import by_host, counts_line, headline
from swarmlab.reports.differences import Differences, differences
from swarmlab.reports.grid import legend
from swarmlab.reports.groups import about, groups
from swarmlab.reports.matrix import LEGEND, symbol
from swarmlab.reports.styles import STYLE, WORD
from swarmlab.reports.text import clean, line, plural, shorten

MOST_ROWS = 40
MOST_REASONS = 3  # of one run: its own report has all
VERDICT = {
    errors.OK: Verdict.PASS,
    errors.VIOLATED: Verdict.FAIL,
    errors.UNPROVEN: Verdict.INCONCLUSIVE,
    errors.UNBUILDABLE: Verdict.ERROR,
}


def render(matrix: EngineMatrix, console: Console) -> None:
    """Print it; nothing in it is read as markup."""
    for text in lines(matrix, max(console.width, 40)):
        console.print(text, soft_wrap=True, markup=False, highlight=False, emoji=False)


def lines(matrix: EngineMatrix, width: int) -> Iterator[Text]:
    """Line by line: the runs, what differs, what is the same, the verdict."""
    where = f" on {matrix.provider}" if matrix.provider else ""
    yield Text(line(f"{matrix.scenario}{where}: {plural(len(matrix.runs), 'run')}"), "bold")
    yield Text()
    room = max((len(run.name) for run in matrix.runs), default=0) + 2
    for run in matrix.runs:
        yield from _run(run, room, width)
    yield from _compared(matrix, width)
    yield from _verdict(matrix, width)


def _run(run: EngineRun, room: int, width: int) -> Iterator[Text]:
    verdict = VERDICT.get(run.status, Verdict.ERROR)
    seconds = f"   {sum(run.report.timings.values()):.1f} s" if run.report.timings else ""
    yield Text.assemble(
        (f"{line(run.name):<{room}}", "bold"),
        (f"{WORD[verdict]:<12}", STYLE[verdict]),
        counts_line(run.report),
        seconds,
    )
    indent = " " * room
    said = headline(run.report) if run.report.hosts else f"{run.lab}: engine {by_host(run.engines)}"
    yield from _wrapped(indent, said + ("; kept" if run.kept else ""), width, "dim")
    for text in clean(run.report.error).splitlines():
        yield from _wrapped(indent, text.strip(), width, "")
    found = groups(run.report)
    for group in found[:MOST_REASONS]:
        first = group.first
        count = f" ({plural(len(group.checks), 'check')})" if len(group.checks) > 1 else ""
        yield from _wrapped(
            indent, f"{symbol(first)} {first.kind} {about(first)}{count}: {line(first.explanation, 300)}", width, ""
        )
    if len(found) > MOST_REASONS:
        yield from _wrapped(indent, f"… and {len(found) - MOST_REASONS} more: see --json", width, "")


def _compared(matrix: EngineMatrix, width: int) -> Iterator[Text]:
    names = [run.name for run in matrix.compared]
    found = differences(matrix)
    yield Text()
    if len(names) < 2:
        yield Text("nothing to compare: " + (f"only {names[0]} was measured" if names else "no run was measured"))
        return
    if found.rows:
        yield from _table(found, names, width)
        yield Text()
    which = "all" if len(names) == len(matrix.runs) else ", ".join(names)
    yield Text(line(f"same on {which}: {plural(found.same, 'check')}" + ("" if found.rows else "; nothing differs")))


def _table(found: Differences, names: list[str], width: int) -> Iterator[Text]:
    columns = {name: max(len(line(name)), 2) + 2 for name in names}
    room = max(min(max(len(check) for check in found.rows), width - sum(columns.values())), 20)
    yield Text.assemble(
        (f"{'differs':<{room}}", "bold"), *((f"  {line(name)}".ljust(columns[name]), "bold") for name in names)
    )
    for check, row in list(found.rows.items())[:MOST_ROWS]:
        cells = [Text(f"  {row[name]}".ljust(columns[name]), STYLE[row[name]]) for name in names]
        text = Text.assemble(shorten(line(check), room).ljust(room), *cells)
        text.rstrip()
        yield text
    if len(found.rows) > MOST_ROWS:
        yield Text(f"… and {len(found.rows) - MOST_ROWS} more: see --json", "bold")
    used = {cell for row in found.rows.values() for cell in row.values()}
    yield from legend([each for each in LEGEND if each in used], width)


def _verdict(matrix: EngineMatrix, width: int) -> Iterator[Text]:
    yield Text()
    for text in clean(matrix.error).splitlines():
        yield from _wrapped("", f"error: {text.strip()}", width, STYLE[Verdict.ERROR])
    verdict = VERDICT[matrix.status]
    bad = [run.name for run in matrix.runs if run.status == matrix.status]
    yield Text.assemble(
        (WORD[verdict], STYLE[verdict]), "" if matrix.status == errors.OK or not bad else f"  {', '.join(bad)}"
    )


def _wrapped(head: str, value: str, width: int, style: str) -> Iterator[Text]:
    for part in textwrap.wrap(line(value), max(width - len(head), 20), break_on_hyphens=False):
        yield Text(head + part, style)
