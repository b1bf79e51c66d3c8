"""The report as one static page: no script, nothing loaded from elsewhere, every text escaped."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from importlib import resources

from swarmlab.model.check import Finding, Verdict
from swarmlab.model.report import Report
from swarmlab.reports.console import counts_line, headline, times_line
from swarmlab.reports.groups import Group, about, groups, where
from swarmlab.reports.matrix import (
    ALLOWED,
    BOTH,
    ISOLATED,
    LEGEND,
    NOTHING,
    UNPROVEN,
    VIOLATED,
    is_matrix,
    kinds,
    matrix,
    symbol,
    tally,
)
from swarmlab.reports.styles import WORD
from swarmlab.reports.text import clean, plural

CLASS = {
    ALLOWED: "ok",
    ISOLATED: "isolated",
    BOTH: "ok",
    VIOLATED: "violated",
    UNPROVEN: "unproven",
    NOTHING: "nothing",
}
VERDICT_CLASS = {
    Verdict.PASS: "ok",
    Verdict.FAIL: "violated",
    Verdict.INCONCLUSIVE: "unproven",
    Verdict.ERROR: "violated",
}
MOST = 200  # groups in the page; the JSON has all checks


def to_html(report: Report) -> str:
    """The whole page as text."""
    style = resources.files("swarmlab.reports").joinpath("page.css").read_text(encoding="utf-8")
    head = f'<meta charset="utf-8"><title>{_safe(report.lab)}: {WORD[report.verdict]}</title>\n<style>\n{style}</style>'
    return (
        f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body>\n'
        + "\n".join(_body(report))
        + "\n</body>\n</html>\n"
    )


def _safe(text: object) -> str:
    return escape(clean(text), quote=True)


def _body(report: Report) -> Iterator[str]:
    yield f"<h1>{_safe(headline(report))}</h1>"
    verdict = f'<strong class="{VERDICT_CLASS[report.verdict]}">{WORD[report.verdict]}</strong>'
    yield f"<p>{verdict} {counts_line(report)}</p>"
    yield f"<p>{_safe(' · '.join(filter(None, (report.started, times_line(report)))))}</p>"
    if report.error:
        yield f'<pre class="violated">{_safe(report.error)}</pre>'
    for kind in kinds(report):
        yield from _matrix(report, kind) if is_matrix(kind) else _compact(report, kind)
    yield from (_finding(finding) for finding in report.findings)
    found = groups(report)
    yield from (_group(group) for group in found[:MOST])
    if len(found) > MOST:
        yield f"<p>… and {len(found) - MOST} more in the JSON report</p>"


def _matrix(report: Report, kind: str) -> Iterator[str]:
    found = matrix(report, kind)
    heads = "".join(f"<th>{_safe(name)}</th>" for name in found.names)
    yield f"<h2>{_safe(kind)}</h2>\n<table><tr><td>from, to</td>{heads}</tr>"
    for source in found.names:
        cells = (found.cell(source, target) for target in found.names)
        yield f"<tr><th>{_safe(source)}</th>{''.join(_marked('td', cell.symbol, cell.text) for cell in cells)}</tr>"
    yield f"</table>\n<p>{' · '.join(_entry(s) for s in found.symbols)}</p>"


def _marked(tag: str, symbol: str, text: str) -> str:
    return f'<{tag} class="{CLASS[symbol]}">{text}</{tag}>'


def _entry(symbol: str) -> str:
    return f"{_marked('span', symbol, symbol)} {LEGEND[symbol]}"


def _compact(report: Report, kind: str) -> Iterator[str]:
    counts = (_marked("span", symbol, f"{count} {symbol}") for symbol, count in tally(report, kind).items())
    yield f"<h2>{_safe(kind)}</h2>\n<p>{' '.join(counts)}</p>"


def _table(rows: list[tuple[str, str]]) -> str:
    return (
        "<dl>" + "".join(f"<dt>{_safe(label)}</dt><dd>{_safe(value)}</dd>" for label, value in rows if value) + "</dl>"
    )


def _group(group: Group) -> str:
    first, mark = group.first, symbol(group.first)
    pairs = ", ".join(group.distinct(about))
    hosts = ", ".join(group.distinct(where))
    rows = [
        ("hosts", hosts),
        ("kind", " ".join([first.kind, *group.distinct(lambda check: check.protocol)])),
        ("network", first.network),
    ]
    rows += [
        ("expected", first.expected),
        ("observed", first.observed),
        ("because", first.because),
        ("shown by", first.explanation),
    ]
    title = f"{_marked('span', mark, mark)} {_safe(pairs)} ({plural(len(group.checks), 'check')})"
    return f"<section><h3>{title}</h3>{_table([*rows, *first.evidence.rows()])}</section>"


def _finding(finding: Finding) -> str:
    rows = [
        ("hosts", ", ".join(finding.hosts)),
        ("layer", finding.layer),
        ("fix", finding.fix),
        ("source", finding.source),
    ]
    return f"<section><h3>{_safe(finding.severity)}: {_safe(finding.title)}</h3>{_table(rows)}</section>"
