"""`swarmlab report`."""

from __future__ import annotations

from typing import Any

import click

from swarmlab.cli.flags import OUTPUT, flags
from swarmlab.cli.outputs import Outputs
from swarmlab.cli.types import complete_lab


@click.command("report", short_help="The last run again, in another format.")
@click.argument("lab", required=False, shell_complete=complete_lab)
@flags(*OUTPUT)
@click.pass_context
def report_command(ctx: click.Context, /, lab: str | None, **given: Any) -> None:
    """Show the last report of a lab again, or write it in another format. The exit status is that of the run.

    \b
    Examples:
      swarmlab report three-tier
      swarmlab report three-tier --html report.html
    """
    from swarmlab.lab.saved import last_report

    outputs = Outputs.of(given)
    outputs.check()
    report = last_report(lab)
    outputs.publish(report)
    ctx.exit(report.exit_status)
