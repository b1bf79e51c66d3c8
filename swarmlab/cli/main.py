"""`swarmlab`: the entry point, and the one place where errors become messages and exit statuses."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import click

from swarmlab import __version__
from swarmlab.cli.crash import write_crash
from swarmlab.cli.lazy import COMMANDS, PIPE_CLOSED, LazyGroup
from swarmlab.errors import INTERRUPTED, UNBUILDABLE, SwarmlabError

# New objects between two garbage collections: walking what imports make, again and again, is a tenth of a start.
GARBAGE = 50_000
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)  # somebody's disk, and no mistake of ours

EPILOG = """\b
Examples:
  swarmlab up three-tier
  swarmlab verify three-tier --junit proof.xml
  swarmlab down --all

Every flag has an environment twin: SWARMLAB_UP_PROVIDER is `up --provider`. SWARMLAB_HOME is where labs are remembered.

\b
Exit status:
  0    every expectation holds and was proven
  1    at least one expectation is violated
  2    usage, or a file that cannot be accepted; nothing was touched
  3    the lab could not be built or reached
  4    nothing is violated, but something could not be proven
  130  interrupted
"""


@click.group(
    cls=LazyGroup,
    commands_table=COMMANDS,
    epilog=EPILOG,
    context_settings={
        "auto_envvar_prefix": "SWARMLAB",
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
)
@click.version_option(__version__, "-V", "--version", prog_name="swarmlab", message="%(prog)s %(version)s")
def cli() -> None:
    """Build a Docker Swarm on any hosts and prove who can talk to whom, who cannot, and over which wire."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; `swarmlab --help` explains each."""
    gc.set_threshold(GARBAGE)
    _survive_closed_streams()
    _survive_odd_text()
    _interruptible()
    try:
        status = cli.main(
            args=list(arguments) if arguments is not None else None, prog_name="swarmlab", standalone_mode=False
        )
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except (click.Abort, KeyboardInterrupt):
        _tell("interrupted")
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SwarmlabError as error:
        _tell(str(error))
        return error.status
    except BrokenPipeError:
        _silence_stdout()
        return PIPE_CLOSED
    except Exception as error:  # noqa: BLE001  the boundary: a user never sees a traceback
        return _internal(error)


def _internal(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in FULL:
        _tell(f"{error.filename or 'output'}: cannot be written: {error.strerror}")
        _silence_stdout()
        return UNBUILDABLE
    if os.environ.get("SWARMLAB_DEBUG") == "1":
        raise error
    path = write_crash(error)
    where = f"the full story is in {path}" if path else "and its story could not be written anywhere"
    fix = f"this is a mistake in swarmlab; please report it: {where}"
    _tell(f"internal error: {type(error).__name__}: {error}\n  fix: {fix}")
    return UNBUILDABLE


def _tell(message: str) -> None:
    """One message on standard error; text in it that came from hosts or files cannot steer the terminal."""
    from swarmlab.reports.text import clean

    with contextlib.suppress(OSError):  # nobody reads it; the exit status still tells
        click.echo(f"swarmlab: {clean(message)}", err=True)


def _silence_stdout() -> None:
    """Python flushes once more as it ends, and would complain about the reader that went away."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _survive_closed_streams() -> None:
    """A daemon's or a cron job's descriptors may be closed; what is opened next must not become our standard output."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  it stays open as long as we run


def _survive_odd_text() -> None:
    """A service may be called what this locale cannot show; a question mark is better than a crash."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _interrupted(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _interruptible() -> None:
    """A cancelled job or a closed terminal cleans up as Ctrl-C does; what a parent ignores (nohup) stays ignored."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        with contextlib.suppress(ValueError):  # not the main thread: whoever runs us there has the signals
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _interrupted)


if __name__ == "__main__":
    sys.exit(main())
