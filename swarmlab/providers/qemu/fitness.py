"""Why machines cannot be made here. None of it needs root: the underlay and the way in are QEMU's own sockets."""

from __future__ import annotations

import platform
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from swarmlab.errors import ProviderError
from swarmlab.providers.base import Problem
from swarmlab.providers.qemu.snapshot import version

PROGRAMS = {  # program -> Debian's package
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
}
SBIN = ("/usr/sbin", "/sbin")  # not in every user's PATH
OLDEST = (7, 2)  # the machine type that is asked for
EACH = 700  # MiB of its memory that one host changes in time; the rest is shared


def problems(look: Callable[[], list[str]] | None = None) -> list[Problem]:
    """[] when machines can be made; `look` finds the packages that are missing."""
    missing = (look or missing_packages)()
    if missing:
        what = ", ".join(program for program, package in PROGRAMS.items() if package in missing)
        return [
            Problem(
                f"not installed: {what}",
                f"apt install --no-install-recommends {' '.join(missing)}   (or: make vm-setup)",
            )
        ]
    if platform.machine() not in ("x86_64", "AMD64"):
        return [Problem(f"machines are x86-64, and this machine is {platform.machine()}", "use the docker provider")]
    return [*_old(version()), *_memory(available(), 1)]


def missing_packages() -> list[str]:
    """The Debian packages whose programs are not here."""
    path = ":".join(SBIN)
    return [
        package
        for program, package in PROGRAMS.items()
        if not (shutil.which(program) or shutil.which(program, path=path))
    ]


def _old(said: str) -> list[Problem]:
    """
    >>> _old("QEMU emulator version 6.2.0")[0].text
    'QEMU 6.2 is too old: machines need 7.2'
    """
    found = re.search(r"version (\d+)\.(\d+)", said)
    if found and (int(found[1]), int(found[2])) < OLDEST:
        return [Problem(f"QEMU {found[1]}.{found[2]} is too old: machines need 7.2", "use Debian 12 or later")]
    return []


def available() -> int:
    """MiB of memory that can be had."""
    words = Path("/proc/meminfo").read_text(encoding="ascii").split()
    return int(words[words.index("MemAvailable:") + 1]) // 1024


def _memory(free: int, count: int) -> list[Problem]:
    if free >= count * EACH:
        return []
    text = f"{free} MiB of memory are available, and {count} machines want about {count * EACH}"
    return [Problem(text, "end something, or ask for fewer hosts with --hosts")]


def refuse_too_many(count: int) -> None:
    """ProviderError when that many machines would not fit into memory."""
    for problem in _memory(available(), count):
        raise ProviderError(problem.text, fix=problem.fix)
