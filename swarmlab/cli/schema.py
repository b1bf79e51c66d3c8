"""`swarmlab schema`."""

from __future__ import annotations

import importlib

import click

from swarmlab.cli.show import echo_json

SCHEMAS = {"report": "reports.as_json", "scenario": "scenario", "matrix": "reports.matrix_json"}
"""What has a schema, and the module below `swarmlab` whose function `schema` knows it."""


@click.command("schema", short_help="The JSON Schema of reports or of scenario files.")
@click.argument("which", metavar="|".join(SCHEMAS), type=click.Choice(list(SCHEMAS)))
def schema_command(which: str) -> None:
    """Print the JSON Schema of the report, of a scenario's `x-swarmlab` block, or of what `swarmlab matrix` writes.

    \b
    Examples:
      swarmlab schema report > report.schema.json
      swarmlab schema scenario > x-swarmlab.schema.json
    """
    echo_json(importlib.import_module(f"swarmlab.{SCHEMAS[which]}").schema())
