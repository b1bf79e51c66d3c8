"""The report for a terminal: readable at 80 columns, without colour, and in a log file."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from rich.console import Console
from rich.text import Text

from swarmlab.model.check import Check, Finding, Verdict
from swarmlab.model.report import Report
from swarmlab.reports.grid import grid, legend
from swarmlab.reports.groups import MOST, Group, about, groups, where
from swarmlab.reports.matrix import is_matrix, kinds, matrix, symbol, tally
from swarmlab.reports.network_lines import network_lines
from swarmlab.reports.styles import STYLE, WORD
from swarmlab.reports.text import clean, line, plural

INDENT = "   "
LABEL = 10  # columns of the labels below a failing cell
MOST_EVIDENCE = 12  # lines
MOST_PAIRS = 4


def render(report: Report, console: Console) -> None:
    """Print the whole report; nothing in it is read as markup."""
    for text in lines(report, max(console.width, 40), unicode=console.encoding.lower().startswith("utf")):
        console.print(text, soft_wrap=True, markup=False, highlight=False, emoji=False)


def as_text(report: Report, width: int = 80) -> str:
    """The whole report without colour, as text."""
    stream = io.StringIO()
    render(report, Console(file=stream, width=width, color_system=None, force_terminal=False))
    return stream.getvalue()


def lines(report: Report, width: int, *, unicode: bool = True) -> Iterator[Text]:
    """Line by line: what ran, the matrices, one line for each other kind, what is wrong, findings, verdict."""
    yield from _wrapped(Text(), line(headline(report)), width, style="bold")
    yield Text()
    for kind in kinds(report):
        if is_matrix(kind):
            yield from _matrix(report, kind, width)
    yield from _compact(report)
    yield from _networks(report, width)
    yield from _groups(report, width)
    for finding in report.findings:
        yield from _finding(finding, width)
    yield from verdict_lines(report, width, unicode=unicode)


def headline(report: Report) -> str:
    """`shop (three-tier) on docker: 3 hosts, engine 20.10.24, kernel 6.1`."""
    name = report.lab if report.lab == report.scenario else f"{report.lab} ({report.scenario})"
    parts = [plural(len(report.hosts), "host")] if report.hosts else []
    for label, values in (
        ("engine", {h.name: h.engine for h in report.hosts}),
        ("kernel", {h.name: h.kernel for h in report.hosts}),
    ):
        parts += [f"{label} {by_host(values)}"] if any(values.values()) else []
    missing_features = list(dict.fromkeys(lack for host in report.hosts for lack in host.missing_features))
    parts += [f"without {', '.join(missing_features)}"] if missing_features else []
    where = f" on {report.provider}" if report.provider else ""
    return f"{name}{where}" + (f": {', '.join(parts)}" if parts else "")


def by_host(values: Mapping[str, str]) -> str:
    """A value that all hosts share, else each value with the hosts that have it.

    >>> by_host({"host1": "20.10", "host2": "20.10"}), by_host({"host1": "20.10", "host2": "28.5", "host3": "20.10"})
    ('20.10', '20.10 (host1, host3), 28.5 (host2)')
    """
    hosts: dict[str, list[str]] = {}
    for host, value in values.items():
        hosts.setdefault(value or "unknown", []).append(host)
    return (
        next(iter(hosts))
        if len(hosts) == 1
        else ", ".join(f"{value} ({', '.join(who)})" for value, who in hosts.items())
    )


def _matrix(report: Report, kind: str, width: int) -> Iterator[Text]:
    found = matrix(report, kind)
    yield Text.assemble(
        (f"{line(kind):<8}", "bold"), f"{line(' '.join(found.protocols))}   rows: from, columns: to".lstrip()
    )
    yield from grid(found, width)
    yield from legend(found.symbols, width)
    yield Text()


def _compact(report: Report) -> Iterator[Text]:
    rest = [kind for kind in kinds(report) if not is_matrix(kind)]
    for kind in rest:
        counts = [Text(f"{count:>4} {symbol}", STYLE[symbol]) for symbol, count in tally(report, kind).items()]
        yield Text.assemble((f"{line(kind):<8}", "bold"), Text("  ").join(counts))
    if rest:
        yield Text()


def _networks(report: Report, width: int) -> Iterator[Text]:
    rows = list(network_lines(report))
    for network, proven, excerpt in rows:
        yield from _wrapped(Text(f"{INDENT}{network}: ", "bold"), proven, width)
        if excerpt:
            yield from _wrapped(Text(INDENT * 2), excerpt, width, style="dim")
    if rows:
        yield Text()


def _groups(report: Report, width: int) -> Iterator[Text]:
    found = groups(report)
    for group in found[:MOST]:
        yield from _group(group, width)
    if len(found) > MOST:
        yield Text(f"… and {len(found) - MOST} more: see --json", "bold")
        yield Text()


def _group(group: Group, width: int) -> Iterator[Text]:
    first, mark = group.first, symbol(group.first)
    title = " ".join(part for part in (_some(group.distinct(about)), _hosts(group), _what(group)) if part)
    count = f" ({plural(len(group.checks), 'check')})" if len(group.checks) > 1 else ""
    yield from _wrapped(Text(f"{mark} ", STYLE[mark]), line(title + count), width, style="bold")
    yield from _row("expected", f"{first.expected}; observed {first.observed or 'nothing'}", width)
    yield from _row("because", first.because, width)
    yield from _row("shown by", first.explanation, width)
    if len(group.checks) > 1:
        yield from _row("example", _one(first), width)
    for key, value in islice(first.evidence.rows(), MOST_EVIDENCE):
        yield from _row(key, value, width, style="dim")
    yield Text()


def _some(values: Sequence[str]) -> str:
    more = f", … {len(values) - MOST_PAIRS} more" if len(values) > MOST_PAIRS else ""
    return ", ".join(values[:MOST_PAIRS]) + more


def _hosts(group: Group) -> str:
    hosts = group.distinct(where)
    return f"[{_some(hosts)}]" if hosts else ""


def _what(group: Group) -> str:
    networks = group.distinct(lambda check: check.network)
    on = f" on {_some(networks)}" if networks else ""
    return " ".join([group.first.kind, *group.distinct(lambda check: check.protocol)]) + on


def _one(check: Check) -> str:
    channel = check.protocol + (f":{check.port}" if check.port else "")
    return f"{check.source} -> {check.target} {channel}" if check.target else f"{check.source} {channel}"


def _row(label: str, value: str, width: int, style: str = "") -> Iterator[Text]:
    if value:
        head = f"{INDENT}{line(label, 40):<{LABEL}} "
        yield from _wrapped(Text(head, "dim"), line(value, 600), width, style=style)


def _wrapped(head: Text, value: str, width: int, style: str = "") -> Iterator[Text]:
    room = max(width - len(head), 20)
    for number, part in enumerate(textwrap.wrap(value, room, break_on_hyphens=False) or [""]):
        yield Text.assemble(head if number == 0 else " " * len(head), (part, style))


def _finding(finding: Finding, width: int) -> Iterator[Text]:
    severity = line(finding.severity)
    head = Text(f"{severity}: ", STYLE.get(severity, "bold"))
    yield from _wrapped(head, line(finding.title), width, style="bold")
    for label, value in (
        ("hosts", ", ".join(finding.hosts)),
        ("layer", finding.layer),
        ("fix", finding.fix),
        ("source", finding.source),
    ):
        yield from _row(label, value, width)
    yield Text()


def verdict_lines(report: Report, width: int, *, unicode: bool = True) -> Iterator[Text]:
    """The last line or two: the verdict, the counts, where the time went."""
    for number, text in enumerate(clean(report.error).splitlines()):
        yield from _wrapped(Text("error: " if number == 0 else INDENT, STYLE[Verdict.ERROR]), text.strip(), width)
    verdict = Text.assemble((WORD[report.verdict], STYLE[report.verdict]), f"  {counts_line(report)}")
    again = f"   measured {report.attempts} times" if report.attempts > 1 else ""
    times = times_line(report, unicode=unicode) + again
    if not times:
        yield verdict
    elif len(verdict) + 3 + len(times) <= width:
        yield Text.assemble(verdict, "   ", times)
    else:
        yield verdict
        yield from _wrapped(Text(" " * (len(WORD[report.verdict]) + 2)), times, width)


def counts_line(report: Report) -> str:
    """`132 checks: 130 proven, 1 violated, 1 inconclusive`."""
    count = report.summary
    counts = f"{count['pass']} proven, {count['fail']} violated, {count['inconclusive']} inconclusive"
    return f"{plural(len(report.checks), 'check')}: {counts}"


def times_line(report: Report, *, unicode: bool = True) -> str:
    """`18.4 s (hosts 2.5 · swarm 1.2 · stack 5.0)`; the phase `total`, where there is one, is the sum."""
    phases = {line(name, 40): seconds for name, seconds in report.timings.items() if name != "total"}
    if not phases:
        return ""
    total = report.timings.get("total", sum(phases.values()))
    each = (" · " if unicode else ", ").join(f"{name} {seconds:.1f}" for name, seconds in phases.items())
    return f"{total:.1f} s ({each})"
