"""`swarmlab ssh` and `swarmlab exec`: we become the ssh client, so terminals, signals and exit statuses are right."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from swarmlab.cli.types import complete_lab
from swarmlab.errors import SwarmlabError

# Everything behind LAB and HOST belongs to the inner command, dashes and all.
PASS_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.command("ssh", context_settings=PASS_ON, short_help="A shell or a command on a host.")
@click.argument("lab", shell_complete=complete_lab)
@click.argument("host")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def ssh_command(lab: str, host: str, command: tuple[str, ...]) -> None:
    """A shell on a lab's host, or a command there, as root; its exit status comes back.

    \b
    Examples:
      swarmlab ssh three-tier host1
      swarmlab ssh three-tier host1 -- docker node ls
    """
    from swarmlab.lab.access import ssh_argv

    inner = _inner(command)
    _become(ssh_argv(lab, host, inner, terminal=_terminal()))


@click.command("exec", context_settings=PASS_ON, short_help="A shell or a command in a task.")
@click.argument("lab", shell_complete=complete_lab)
@click.argument("service")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def exec_command(lab: str, service: str, command: tuple[str, ...]) -> None:
    """A shell in a task of SERVICE (or in SERVICE.2, its second), or a command there; its exit status comes back.

    \b
    Examples:
      swarmlab exec three-tier front
      swarmlab exec three-tier api.2 -- ip addr
    """
    from swarmlab.lab.access import exec_argv

    _become(exec_argv(lab, service, _inner(command), terminal=_terminal()))


def _inner(command: Sequence[str]) -> list[str]:
    """The command without the first `--`, which only says where it begins."""
    return list(command[1:] if command[:1] == ("--",) else command)


def _terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _become(argv: Sequence[str]) -> NoReturn:
    sys.stdout.flush()
    # Python ignores SIGPIPE, and what is ignored stays so in the program that takes our place.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvp(argv[0], list(argv))  # noqa: S606  a quoted argument list, and no shell is what we want
    except FileNotFoundError as error:
        raise SwarmlabError(
            f"{argv[0]} is not installed on this machine", fix="apt-get install openssh-client"
        ) from error
