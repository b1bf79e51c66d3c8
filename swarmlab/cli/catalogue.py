"""`swarmlab list`."""

from __future__ import annotations

from dataclasses import asdict

import click

from swarmlab.cli.flags import flags, plain_format
from swarmlab.cli.show import columns, echo_json


@click.command("list", short_help="What can be run, and which labs exist.")
@flags(plain_format)
def list_command(format: str) -> None:
    """The scenarios that can be run, and the labs that exist.

    \b
    Examples:
      swarmlab list
      swarmlab list --format json
    """
    from swarmlab import scenario
    from swarmlab.lab import home

    entries, labs = scenario.catalogue(), home.names()
    if format == "json":
        echo_json({"scenarios": [asdict(entry) for entry in entries], "labs": labs})
        return
    click.echo("scenarios")
    for row in columns([(entry.name, f"unusable: {entry.error}" if entry.error else entry.title) for entry in entries]):
        click.echo(row)
    click.echo("labs")
    for name in labs or ["none; `swarmlab up SCENARIO` makes one"]:
        click.echo(f"  {name}")
