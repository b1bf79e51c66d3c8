"""`swarmlab down`."""

from __future__ import annotations

import sys

import click

from swarmlab.cli.types import complete_lab
from swarmlab.errors import UsageError


@click.command("down", short_help="Remove all that `up` made; nothing else.")
@click.argument("lab", required=False, shell_complete=complete_lab)
@click.option("--all", is_flag=True, help="Every lab.")
def down_command(lab: str | None, all: bool) -> None:
    """Remove a lab: hosts, networks, volumes, files. It needs no scenario file, and works when the hosts are dead.

    \b
    Examples:
      swarmlab down three-tier
      swarmlab down --all
    """
    from swarmlab.events import Bus
    from swarmlab.lab.down import down, down_all
    from swarmlab.reports.progress import Progress
    from swarmlab.reports.text import line

    if lab and all:
        raise UsageError("a lab's name and --all do not go together", fix="give one of them")
    with Progress(sys.stderr) as progress:
        bus = Bus([progress])
        removed = down_all(bus) if all else down(lab, bus)
    for entry in removed:
        click.echo(f"removed {line(entry)}")
    if not removed:
        click.echo("nothing to remove")
