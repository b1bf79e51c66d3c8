"""`swarmlab status`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from swarmlab.cli.flags import flags, plain_format
from swarmlab.cli.show import columns, echo_json
from swarmlab.cli.types import complete_lab
from swarmlab.reports.text import line


@click.command("status", short_help="What runs.")
@click.argument("lab", required=False, shell_complete=complete_lab)
@flags(plain_format)
def status_command(lab: str | None, format: str) -> None:
    """What runs now: labs, their hosts and services, and what the last proof said. Without LAB: all labs.

    \b
    Examples:
      swarmlab status
      swarmlab status three-tier --format json
    """
    from swarmlab.lab.status import status

    labs = status(lab)
    if format == "json":
        echo_json([asdict(found) for found in labs])
        return
    for number, found in enumerate(labs):
        click.echo(("\n" if number else "") + "\n".join(_lines(found)))
    if not labs:
        click.echo("no lab exists; `swarmlab up SCENARIO` makes one")


def _lines(lab: Any) -> Iterator[str]:
    facts = (lab.state, f"scenario {lab.scenario}", f"provider {lab.provider}", f"last proof: {lab.verdict}")
    yield line(f"{lab.name}: {', '.join(facts)}, since {lab.started}")
    yield from columns([(host.name, host.address, host.state, host.engine) for host in lab.hosts])
    yield from columns([(name, count) for name, count in lab.services])
