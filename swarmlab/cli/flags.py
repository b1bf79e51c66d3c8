"""Flags that several commands share. Each is named after itself, since click makes its environment twin of that
name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from swarmlab.cli import types
from swarmlab.model.host import MOST_HOSTS
from swarmlab.providers import PROVIDERS, Kernel
from swarmlab.reports.formats import FORMATS, TABLE, Format

Command = TypeVar("Command", bound=Callable[..., Any])
Flag = Callable[[Any], Any]

ENGINES = ("20.10", "26.1", "28.5")
KERNELS = ("6.1", "6.12", "7.2")
CHOSEN = ", ".join(name for name, row in PROVIDERS.items() if row.kernel is Kernel.CHOSEN)

_existing = click.Path(exists=True, dir_okay=False, path_type=Path)
_file = click.Path(path_type=Path)


def seconds(flag: str, low: float, high: float, default: float, text: str) -> Flag:
    """A flag that takes a time."""
    return click.option(
        flag, type=types.Seconds(low, high), default=default, show_default=True, metavar="SECONDS", help=text
    )


settings = click.option(
    "--set",
    multiple=True,
    metavar="KEY=VALUE",
    callback=types.settings,
    help="A variable of the scenario; may be repeated.",
)
stand_in = click.option(
    "--stand-in", is_flag=True, help="A small stand-in for every image: real networks, no applications."
)
timeout = seconds("--timeout", 0.2, 60, 2.0, "How long a probe waits for its answer.")
wait = seconds("--wait", 1, 86400, 300.0, "How long tasks may take until they run.")
pcap = click.option(
    "--pcap",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep what the wire checks captured there, one pcap file per host.",
)
inventory = click.option("--inventory", type=_existing, metavar="FILE", help="Hosts that exist already.")


def printed(*names: str) -> Flag:
    """`--format`, with these names beside the table for people."""
    choice = click.Choice([TABLE, *names])
    return click.option("--format", type=choice, default=TABLE, show_default=True, help="What goes to standard output.")


plain_format = printed("json")

HOSTS: tuple[Flag, ...] = (
    click.option(
        "--provider",
        type=click.Choice(["auto", *PROVIDERS]),
        default="auto",
        show_default=True,
        help="Who makes the hosts.",
    ),
    inventory,
    click.option(
        "--hosts",
        type=click.IntRange(1, MOST_HOSTS),
        metavar="N",
        help="How many hosts; the scenario's own number otherwise.",
    ),
    click.option("--managers", type=click.Choice(["1", "3", "5"]), help="How many of them manage the Swarm."),
)
engine = click.option(
    "--engine",
    type=types.ByHost("engine", ENGINES),
    metavar="VERSION|HOST=VERSION,…",
    help="Which Docker Engine the hosts run; may differ by host.",
)
kernel = click.option(
    "--kernel",
    type=types.ByHost("kernel", KERNELS),
    metavar="VERSION|HOST=VERSION,…",
    help=f"Which kernel the hosts run; may differ by host. Virtual machines only ({CHOSEN}).",
)
name = click.option("--name", metavar="LAB", default="", help="The lab's name; the scenario's otherwise.")
BUILDING: tuple[Flag, ...] = (*HOSTS, engine, kernel, name, settings, stand_in)


def written(formats: Sequence[Format]) -> tuple[Flag, ...]:
    """`--format`, and for each format the flag that writes a file of it."""
    files = [click.option(f"--{row.name}", type=_file, metavar="FILE", help=row.help) for row in formats]
    return (printed(*(row.name for row in formats if row.printed)), *files)


OUTPUT = written(FORMATS)
FILES = written([row for row in FORMATS if row.matrix])


def flags(*several: Flag) -> Callable[[Command], Command]:
    """Several flags as one decorator, in the order in which the help shows them."""

    def decorate(command: Command) -> Command:
        for flag in reversed(several):
            command = flag(command)
        return command

    return decorate
