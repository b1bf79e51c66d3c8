"""`swarmlab doctor`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from swarmlab.cli.capabilities import as_rows, table
from swarmlab.cli.flags import flags, inventory, plain_format
from swarmlab.cli.show import columns, echo_json
from swarmlab.errors import OK, UNBUILDABLE
from swarmlab.reports.text import line, plural


@click.command("doctor", short_help="Is this machine fit? What to do if not.")
@flags(inventory, plain_format)
@click.pass_context
def doctor_command(ctx: click.Context, inventory: Path | None, format: str) -> None:
    """Look at this machine, and at the hosts of an inventory; each thing that is not fit comes with its fix.

    \b
    Examples:
      swarmlab doctor
      swarmlab doctor --inventory inventory.yaml
    """
    from swarmlab.lab.capabilities import all_capabilities
    from swarmlab.lab.doctor import doctor

    found, every = doctor(inventory), all_capabilities()
    unfit = [entry for entry in found if not entry.ok and entry.needed]
    if format == "json":
        echo_json(
            [
                *map(asdict, found),
                *({"name": f"offer {row['provider']}", "ok": row["hosts"]["has"], **row} for row in as_rows(every)),
            ]
        )
    else:
        rows = columns(
            [("ok" if entry.ok else "XX" if entry.needed else "--", entry.name, entry.detail) for entry in found],
            indent="",
        )
        for entry, row in zip(found, rows, strict=True):
            click.echo(row)
            if not entry.ok and entry.fix:
                click.echo(f"    fix: {line(entry.fix)}")
        click.echo("\n".join(table(every)))
        click.echo(f"{plural(len(unfit), 'problem')}" if unfit else "all is well")
    ctx.exit(UNBUILDABLE if unfit else OK)
