"""`swarmlab schema`."""

from __future__ import annotations

import click

from swarmlab.cli.show import echo_json


@click.command("schema", short_help="The JSON Schema of reports or of scenario files.")
@click.argument("which", metavar="report|scenario|matrix", type=click.Choice(["report", "scenario", "matrix"]))
def schema_command(which: str) -> None:
    """Print the JSON Schema of the report, of a scenario file's `x-swarmlab` block, or of what `swarmlab matrix`
    writes.

    \b
    Examples:
      swarmlab schema report > report.schema.json
      swarmlab schema scenario > x-swarmlab.schema.json
    """
    if which == "report":
        from swarmlab.reports import as_json

        echo_json(as_json.schema())
    elif which == "matrix":
        from swarmlab.reports import matrix_json

        echo_json(matrix_json.schema())
    else:
        from swarmlab import scenario

        echo_json(scenario.schema())
