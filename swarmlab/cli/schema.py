"""`swarmlab schema`."""

from __future__ import annotations

import click

from swarmlab.cli.show import echo_json


@click.command("schema", short_help="The JSON Schema of reports or of scenario files.")
@click.argument("which", metavar="report|scenario", type=click.Choice(["report", "scenario"]))
def schema_command(which: str) -> None:
    """Print the JSON Schema of the report, or of a scenario file's `x-swarmlab` block.

    \b
    Examples:
      swarmlab schema report > report.schema.json
      swarmlab schema scenario > x-swarmlab.schema.json
    """
    if which == "report":
        from swarmlab.reports import as_json

        echo_json(as_json.schema())
    else:
        from swarmlab import scenario

        echo_json(scenario.schema())
