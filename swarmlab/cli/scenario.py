"""`swarmlab show`, `swarmlab check` and `swarmlab plan`: what a file says, with no host touched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from swarmlab.cli.build import up_options
from swarmlab.cli.capabilities import as_rows, table
from swarmlab.cli.flags import BUILDING, flags, plain_format, settings, stand_in
from swarmlab.cli.show import columns, echo_json, expectation_dict, expectations, paragraph, scenario_dict
from swarmlab.cli.types import complete_scenario
from swarmlab.model.scenario import Scenario
from swarmlab.reports.text import line, plural


def _read(ref: str, given: dict[str, Any]) -> Scenario:
    from swarmlab import scenario

    return scenario.read(scenario.find(ref), given["set"], stand_in=given["stand_in"])


@click.command("show", short_help="What a scenario teaches and expects.")
@click.argument("scenario", shell_complete=complete_scenario)
@flags(settings, stand_in, plain_format)
def show_command(scenario: str, format: str, **given: Any) -> None:
    """What a scenario teaches, what it runs, and what should hold in it.

    \b
    Examples:
      swarmlab show three-tier
      swarmlab show ./docker-stack.yml --format json
    """
    found = _read(scenario, given)
    if format == "json":
        echo_json(scenario_dict(found))
    else:
        click.echo("\n".join(_lesson(found)))


def _lesson(scenario: Scenario) -> Iterator[str]:
    yield line(f"{scenario.name}: {scenario.title}" if scenario.title else scenario.name)
    facts = [plural(scenario.hosts, "host"), scenario.level and f"level {scenario.level}", ", ".join(scenario.concepts)]
    yield line("; ".join(filter(None, facts)))
    if scenario.summary:
        yield ""
        yield from paragraph(scenario.summary)
    yield from ("", "runs")
    count = {
        s.name: "one task per host" if s.is_global else plural(s.replicas or 0, "task")
        for s in scenario.services.values()
    }
    rows = [(s.name, count[s.name], s.image, list(s.networks)) for s in scenario.services.values()]
    rows += [(c.name, f"on {c.host}", c.image, list(c.networks)) for c in scenario.containers.values()]
    yield from columns(
        [(name, where, image, f"on {', '.join(networks) or 'no network'}") for name, where, image, networks in rows]
    )
    yield from ("", "expects")
    yield from expectations(scenario)
    for number, (question, answer) in enumerate(scenario.questions, 1):
        yield ""
        yield from paragraph(f"Question {number}. {question}")
        yield from paragraph(f"Answer: {answer}", "  ") if answer else ()


@click.command("check", short_help="Look at a file; no host is touched.")
@click.argument("file", shell_complete=complete_scenario)
@flags(settings, stand_in)
def check_command(file: str, **given: Any) -> None:
    """Check a scenario file offline: syntax, meaning, and what is legal but surprising.

    \b
    Examples:
      swarmlab check docker-stack.yml
      swarmlab check scenarios/three-tier --set replicas=3
    """
    from swarmlab import scenario

    found = _read(file, given)
    for place, warning in scenario.warnings(found):
        click.echo(f"{line(place or found.file)}: warning: {line(warning)}")
    counts = (
        plural(len(found.services) + len(found.containers), "service"),
        plural(len(found.networks) + len(found.local_networks), "network"),
        plural(len(found.expectations), "expectation"),
    )
    click.echo(f"{line(file)}: ok, {', '.join(counts)}")


@click.command("plan", short_help="What `up` would do; nothing is touched.")
@click.argument("scenario", shell_complete=complete_scenario)
@flags(*BUILDING, plain_format)
def plan_command(**given: Any) -> None:
    """What `up` would do, with which provider and why, and every expectation that it would prove.

    \b
    Examples:
      swarmlab plan three-tier
      swarmlab plan ./docker-stack.yml --hosts 5 --format json
    """
    from swarmlab.lab.plan import plan

    found = plan(up_options(given))
    if given["format"] == "json":
        echo_json(_plan_dict(found))
    else:
        click.echo("\n".join(_plan(found)))


def _plan_dict(found: Any) -> dict[str, object]:
    names = ("lab", "provider", "why", "hosts", "managers", "steps", "problems")
    return {
        **{name: getattr(found, name) for name in names},
        "scenario": found.scenario.name,
        "needs": found.needs,
        "lacks": found.missing_features,
        "providers": as_rows(found.capabilities),
        "expectations": [expectation_dict(expectation) for expectation in found.scenario.expectations],
    }


def _plan(found: Any) -> Iterator[str]:
    yield line(f"lab {found.lab}: scenario {found.scenario.name}, provider {found.provider} ({found.why})")
    yield ""
    yield line(f"needs {'; '.join(found.needs) or 'nothing special of a kernel'}")
    yield from table(found.capabilities)
    yield ""
    for number, step in enumerate(found.steps, 1):
        yield line(f"{number}. {step}")
    yield from ("", "would prove")
    yield from expectations(found.scenario)
    for problem in found.problems:
        yield ""
        for number, part in enumerate(problem.splitlines()):
            yield f"  {line(part)}" if number else f"problem: {line(part)}"
