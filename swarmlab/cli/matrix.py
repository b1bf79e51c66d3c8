"""`swarmlab matrix`."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import click

from swarmlab.cli.build import up_options
from swarmlab.cli.flags import ENGINES, FILES, HOSTS, flags, kernel, settings, stand_in, timeout, wait
from swarmlab.cli.outputs import Outputs, write
from swarmlab.cli.run import text_of
from swarmlab.cli.types import complete_scenario, engine_list
from swarmlab.errors import SwarmlabError
from swarmlab.model.matrix import EngineMatrix
from swarmlab.reports import formats

SEVERAL = ",".join(ENGINES)


@click.command("matrix", short_help="The same scenario on several engines; what differs.")
@click.argument("scenario", shell_complete=complete_scenario)
@flags(
    click.option(
        "--engines",
        default=SEVERAL,
        show_default=True,
        metavar="VERSION,…",
        callback=engine_list(ENGINES),
        help="On which engines.",
    ),
    click.option(
        "--mixed/--no-mixed", default=True, show_default=True, help="Also once with the engines mixed, host by host."
    ),
    *HOSTS,
    kernel,
    click.option(
        "--name", metavar="PREFIX", default="", help="What the labs' names begin with; the scenario's name otherwise."
    ),
    settings,
    stand_in,
    timeout,
    wait,
    click.option("--keep", is_flag=True, help="Leave the labs there; each is removed after its run otherwise."),
    *FILES,
)
@click.pass_context
def matrix_command(ctx: click.Context, /, **given: Any) -> None:
    """Run a scenario on each engine and once on all of them mixed, one lab after the other, and show what differs.

    What cannot be built does not stop the others. Exit status: 3 if a run could not be built, else 1 if one was
    violated, else 4 if something could not be proven, else 0.

    \b
    Examples:
      swarmlab matrix three-tier
      swarmlab matrix ./docker-stack.yml --engines 20.10,28.5 --no-mixed --json matrix.json
    """
    from swarmlab.events import Bus
    from swarmlab.lab.matrix import planned_runs, provider_for, runs
    from swarmlab.reports.progress import Progress

    options = up_options({**given, "engine": ""})
    outputs = Outputs.of(given)
    outputs.check()
    wanted = planned_runs(options, given["engines"], mixed=given["mixed"], keep=given["keep"])
    matrix = EngineMatrix(options.scenario, options.provider, datetime.now(UTC).isoformat(timespec="seconds"))
    try:
        with Progress(sys.stderr) as progress:
            bus = Bus([progress])
            matrix = replace(matrix, provider=provider_for(options, bus))
            for run in runs(wanted, bus, matrix.provider, keep=given["keep"]):
                matrix = replace(matrix, scenario=run.report.scenario, runs=(*matrix.runs, run))
    except BaseException as error:
        _publish_what_is_known(replace(matrix, error=text_of(error)), outputs)
        raise
    publish(matrix, outputs)
    ctx.exit(matrix.status)


def _publish_what_is_known(matrix: EngineMatrix, outputs: Outputs) -> None:
    """The error that ended it goes on; that a file could not be written is only said."""
    try:
        publish(matrix, outputs)
    except SwarmlabError as unwritten:
        click.echo(f"swarmlab: {unwritten}", err=True)


def publish(matrix: EngineMatrix, outputs: Outputs) -> None:
    """Files first; the table on standard output, or on standard error beside JSON."""
    for name, path in outputs.files.items():
        write(path, formats.text(name, matrix))
    _show(matrix, error=outputs.printed)
    if outputs.printed:
        click.echo(formats.text(outputs.format, matrix), nl=False)


def _show(matrix: EngineMatrix, *, error: bool) -> None:
    from swarmlab.cli.outputs import console
    from swarmlab.reports.matrix_console import render

    render(matrix, console(error=error))
