"""Commands are imported when they are called: `swarmlab --help` must not wait for libraries that it does not use."""

from __future__ import annotations

import importlib
import select
import signal
from collections.abc import Mapping
from typing import Any

import click

# Each command is the function NAME_command of a module of this room. A new command is a file and a row here.
COMMANDS: Mapping[str, str] = {
    "up": "build",
    "verify": "build",
    "matrix": "matrix",
    "down": "down",
    "status": "status",
    "list": "catalogue",
    "show": "scenario",
    "check": "scenario",
    "plan": "scenario",
    "doctor": "doctor",
    "ssh": "enter",
    "exec": "enter",
    "report": "report",
    "schema": "schema",
    "completion": "completion",
}
PIPE_CLOSED = 128 + signal.SIGPIPE


class LazyGroup(click.Group):
    """A group whose commands are `swarmlab.cli.MODULE:NAME_command`, from a table; shown in the table's order."""

    def __init__(self, *arguments: Any, commands_table: Mapping[str, str], **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.table = commands_table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, in the order in which a newcomer needs them."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None when there is none of that name."""
        if cmd_name not in self.table:
            return None
        module = importlib.import_module(f"swarmlab.cli.{self.table[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but an unknown name lists the known ones."""
        if not ctx.resilient_parsing and args and args[0] not in self.table and not args[0].startswith("-"):
            ctx.fail(f"no such command {args[0]!r}; commands: {', '.join(self.table)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """As click does, but ends quietly when the reader of our output went away.

        Any other broken pipe is a mistake of ours, and is shown as one.
        """
        try:
            return super().invoke(ctx)
        except EOFError as error:  # click would take it for Ctrl-D and say "interrupted"
            raise RuntimeError("a connection ended where nobody expected it") from error
        except BrokenPipeError as error:
            if _reader_is_gone():
                # Past click, which would make it exit status 1, and that means "violated".
                raise ReaderGone from error
            raise RuntimeError(f"a connection broke where nobody expected it: {error}") from error


class ReaderGone(click.exceptions.Exit):
    """The reader of our output closed its end: the exit status is that of a program which SIGPIPE ends."""

    def __init__(self) -> None:
        super().__init__(PIPE_CLOSED)


def _reader_is_gone() -> bool:
    """Whether standard output or error leads nowhere. Writing again would not tell: large texts skip the buffer."""
    poll = select.poll()
    for number in (1, 2):
        poll.register(number, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
