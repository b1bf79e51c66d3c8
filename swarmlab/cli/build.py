"""`swarmlab up` and `swarmlab verify`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from swarmlab.cli.flags import BUILDING, OUTPUT, flags, pcap, timeout, wait
from swarmlab.cli.outputs import Outputs
from swarmlab.cli.run import measure
from swarmlab.cli.types import complete_lab, complete_scenario
from swarmlab.errors import OK, UsageError


def up_options(given: Mapping[str, Any]) -> Any:
    """The lab's UpOptions of a command's flags. Raises UsageError for a name that no lab can have."""
    from swarmlab.lab.options import UpOptions, lab_name

    return UpOptions(
        scenario=given["scenario"],
        name=lab_name(given["name"]) if given["name"] else "",
        provider=_provider(given["provider"], given["inventory"]),
        inventory=given["inventory"],
        hosts=given["hosts"],
        managers=int(given["managers"]) if given["managers"] else None,
        engine=given["engine"] or "",
        kernel=given["kernel"] or "",
        settings=given["set"],
        stand_in=given["stand_in"],
        timeout=given.get("timeout", 2.0),
        wait=given.get("wait", 300.0),
        verify=not given.get("no_verify", False),
        rollback=not given.get("no_rollback", False),
        pcap=given.get("pcap"),
    )


def _provider(name: str, inventory: object) -> str:
    """A user who gives hosts means those: they are never passed over for others. Raises UsageError."""
    from swarmlab.lab.options import AUTO, INVENTORY

    if inventory and name not in (AUTO, INVENTORY):
        raise UsageError(f"--inventory and --provider {name} do not go together", fix="leave one of them out")
    return INVENTORY if inventory else name


@click.command("up", short_help="Hosts, Swarm, networks, stack, proof.")
@click.argument("scenario", shell_complete=complete_scenario)
@flags(
    *BUILDING,
    timeout,
    wait,
    pcap,
    click.option("--no-verify", is_flag=True, help="Build only; prove nothing."),
    click.option("--no-rollback", is_flag=True, help="Keep what was made when a first `up` fails."),
    *OUTPUT,
)
@click.pass_context
def up_command(ctx: click.Context, /, **given: Any) -> None:
    """Make hosts, form a Swarm, create the networks, deploy the stack, and prove who can talk to whom.

    SCENARIO is a name that `swarmlab list` shows, a directory, or any Compose file. Safe to repeat: it converges. When
    a first `up` fails or is interrupted, what it made is removed again.

    \b
    Examples:
      swarmlab up three-tier
      swarmlab up ./docker-stack.yml --hosts 3 --name shop
      swarmlab up three-tier --json report.json --junit report.xml
    """
    options = up_options(given)
    outputs = Outputs.of(given)

    def work(bus: Any) -> Any:
        from swarmlab.lab.up import up

        return up(options, bus)

    report = measure(
        work, outputs, lab=options.name or options.scenario, scenario=options.scenario, provider=options.provider
    )
    outputs.publish(report)
    # Nothing was to be proven, so nothing is missing; the report itself says that there is no check in it.
    ctx.exit(report.exit_status if options.verify else OK)


@click.command("verify", short_help="Measure again, change nothing.")
@click.argument("lab", required=False, shell_complete=complete_lab)
@flags(timeout, pcap, *OUTPUT)
@click.pass_context
def verify_command(ctx: click.Context, /, lab: str | None, **given: Any) -> None:
    """Measure a lab again; nothing in its stack is changed. Without LAB: the only lab there is.

    \b
    Examples:
      swarmlab verify
      swarmlab verify three-tier --timeout 5 --format json
    """
    outputs = Outputs.of(given)

    def work(bus: Any) -> Any:
        from swarmlab.lab.verify import verify

        return verify(lab, bus, timeout=given["timeout"], pcap=given["pcap"])

    report = measure(work, outputs, lab=lab or "")
    outputs.publish(report)
    ctx.exit(report.exit_status)
