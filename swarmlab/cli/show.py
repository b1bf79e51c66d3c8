"""Plain text for people and JSON for programs: what the small commands print."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence

import click

from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import About
from swarmlab.model.plain import plain
from swarmlab.model.scenario import Scenario
from swarmlab.reports.text import line

WIDTH = 80


def echo_json(value: object) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(plain(value), indent=2))


def columns(rows: Sequence[Sequence[str]], indent: str = "  ") -> Iterator[str]:
    """Rows with their columns aligned; the last one is as long as it likes."""
    clean = [[line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*clean, strict=True)] if clean else []
    for row in clean:
        yield (indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()


def paragraph(text: str, indent: str = "") -> Iterator[str]:
    """Text wrapped to the width of a page."""
    yield from textwrap.wrap(line(text), WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def channel(expectation: Expectation) -> str:
    """Where it holds: `tcp:5432 on back`."""
    port = f":{expectation.port}" if expectation.port else ""
    where = f"on {expectation.network}" if expectation.network else ""
    return " ".join(filter(None, (expectation.protocol + port, where)))


def subject(expectation: Expectation) -> str:
    """What it is about: a pair, a name that is asked for, a network's property, or every host."""
    if expectation.kind.row.about is About.HOST:
        return "every host"
    pair = " -> ".join(filter(None, (expectation.source, expectation.target)))
    return " ".join(filter(None, (pair, expectation.label)))


def expectations(scenario: Scenario) -> Iterator[str]:
    """Every expectation on its own line, with its reason below where it was written by hand."""
    rows = [(str(e.kind), subject(e), e.expected, channel(e)) for e in scenario.expectations]
    for expectation, row in zip(scenario.expectations, columns(rows), strict=True):
        yield row
        if expectation.because and not expectation.derived:
            yield from paragraph(f"because {expectation.because}", " " * 6)


def expectation_dict(expectation: Expectation) -> dict[str, object]:
    """For --format json, with the report's names."""
    return {
        "kind": expectation.kind,
        "from": expectation.source,
        "to": expectation.target,
        "name": expectation.label,
        "network": expectation.network,
        "protocol": expectation.protocol,
        "port": expectation.port,
        "expected": expectation.expected,
        "because": expectation.because,
        "derived": expectation.derived,
        "mark": str(expectation.place) if expectation.place else "",
    }


def scenario_dict(scenario: Scenario) -> dict[str, object]:
    """For --format json: what a scenario teaches and expects."""
    return {
        "name": scenario.name,
        "file": str(scenario.file),
        "title": scenario.title,
        "summary": scenario.summary,
        "level": scenario.level,
        "concepts": scenario.concepts,
        "hosts": scenario.hosts,
        "managers": scenario.managers,
        "variables": scenario.variables,
        "services": {
            s.name: {"image": s.image, "replicas": s.replicas, "networks": list(s.networks)}
            for s in scenario.services.values()
        },
        "containers": {
            c.name: {"image": c.image, "host": c.host, "networks": list(c.networks)}
            for c in scenario.containers.values()
        },
        "networks": {
            n.key: {"driver": n.driver, "internal": n.internal, "encrypted": n.encrypted}
            for n in scenario.networks.values()
        },
        "local_networks": {n.name: {"driver": n.driver, "hosts": n.hosts} for n in scenario.local_networks.values()},
        "questions": [{"question": question, "answer": answer} for question, answer in scenario.questions],
        "expectations": [expectation_dict(e) for e in scenario.expectations],
    }
