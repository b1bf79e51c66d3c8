"""The machines that run, as the process table shows them: whatever happened to our notes, none is overlooked."""

from __future__ import annotations

import os
import select
import signal
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from swarmlab.providers.qemu.machine import HOME_MARK, PROGRAM
from swarmlab.remote import until

PREFIX = "guest=swarmlab-"


@dataclass(frozen=True)
class Running:
    """One machine's process."""

    pid: int
    lab: str
    host: str
    home: str


def parse(pid: int, cmdline: bytes) -> Running | None:
    """The machine that this command line runs; None when it runs none of ours. No host's name has a hyphen here.

    >>> words = ["qemu-system-x86_64", "guest=swarmlab-my-lab-host2", "name=opt/io.swarmlab/home,string=ab12"]
    >>> parse(7, "\\0".join(words).encode())
    Running(pid=7, lab='my-lab', host='host2', home='ab12')
    """
    words = cmdline.decode("utf-8", "replace").split("\0")
    if Path(words[0]).name != PROGRAM:
        return None
    names = [word.removeprefix(PREFIX) for word in words if word.startswith(PREFIX)]
    homes = [word.removeprefix(HOME_MARK) for word in words if word.startswith(HOME_MARK)]
    if not (names and homes):
        return None
    lab, _, host = names[0].rpartition("-")
    return Running(pid, lab, host, homes[0])


def machines(home: str, lab: str = "") -> list[Running]:
    """This home's machines; with `lab`, only that lab's."""
    found = [one for pid in _pids() if (one := parse(pid, _cmdline(pid))) and one.home == home]
    return sorted((one for one in found if not lab or one.lab == lab), key=lambda one: (one.lab, one.host))


def kill(victims: list[Running]) -> None:
    """End them at once and wait until they have let go of all they had. A process that only got a dead one's number is
    left alone.
    """
    with ExitStack() as stack:
        ending = [handle for one in victims if (handle := _signalled(one, stack)) is not None]
        names = ", ".join(f"{one.lab} {one.host} (process {one.pid})" for one in victims)
        until(lambda: len(select.select(ending, [], [], 0)[0]) == len(ending), f"ended: {names}", 20)


def _signalled(one: Running, stack: ExitStack) -> int | None:
    """A handle that becomes readable at its end; None when it is gone already. (Its command line is gone earlier than
    its files' locks.)
    """
    try:
        handle = os.pidfd_open(one.pid)
        stack.callback(os.close, handle)
        if parse(one.pid, _cmdline(one.pid)) != one:
            return None
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        return None
    return handle


def _pids() -> list[int]:
    proc = Path("/proc")
    return [int(entry.name) for entry in proc.iterdir() if entry.name.isdigit()] if proc.is_dir() else []


def _cmdline(pid: int) -> bytes:
    """b"" for one that is gone, and for a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
