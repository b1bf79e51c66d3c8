"""Roots of Debian packages, made with mmdebstrap: its arguments, its steps as they happen, and what it complains of."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from swarmlab.errors import ProviderError
from swarmlab.events import Phase
from swarmlab.providers.images.recipe import LEFT_OUT

EXPIRED_VARIABLE = "SWARMLAB_APT_NO_VALID_UNTIL"
NO_VALID_UNTIL = 'Acquire::Check-Valid-Until "false"'
STEPS = (
    "running apt-get update",
    "downloading packages",
    "extracting archives",
    "installing essential",
    "installing remaining",
)


def no_valid_until() -> bool:
    """Whether the user said that an archive's expired Release file is to be accepted."""
    return os.environ.get(EXPIRED_VARIABLE) == "1"


def arguments(packages: Sequence[str], hooks: Sequence[str], *target: str) -> list[str]:
    """The arguments for a root with these packages, without documentation and translations."""
    leash = ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
    options = [f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT]
    if no_valid_until():
        options.append(f"--aptopt={NO_VALID_UNTIL}")
    return [*leash, "mmdebstrap", "--variant=minbase", f"--include={','.join(packages)}", *options, *hooks, *target]


def run(argv: list[str], what: str, work: Path, phase: Phase) -> None:
    """Run mmdebstrap, telling its steps; ProviderError with its own complaints when it fails."""
    said: deque[str] = deque(maxlen=40)
    # stdin closed and a process group of its own, so that Ctrl-C reaches it once, through us.
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        env=_environment(work),
    ) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                said.append(line.rstrip())
                _progress(line, phase)
            status = process.wait()
        except BaseException:
            process.terminate()
            raise
    if status:
        raise ProviderError(why(what, list(said)), fix=fix("\n".join(said)))


def _environment(work: Path) -> dict[str, str]:
    """Root's mmdebstrap works in the lab's own directory; another user's cannot, as its mapped ids may not enter it."""
    return {**os.environ, "TMPDIR": str(work)} if os.geteuid() == 0 else dict(os.environ)


def _progress(line: str, phase: Phase) -> None:
    if line.startswith("I: "):
        text = line[3:].strip().rstrip(".")
        for done, words in enumerate(STEPS, start=1):
            if text.startswith(words):
                phase(text, done, len(STEPS) + 1)


def why(what: str, said: list[str]) -> str:
    """That it cannot be built, with the errors and warnings of what was said or, without any, its last lines."""
    telling = [line for line in said if line.startswith(("E:", "W:"))] or said
    return f"{what} cannot be built:\n" + "\n".join(f"  {line}" for line in telling[-8:])


def fix(text: str) -> str:
    """What to do about it, from all that was said."""
    if "expired" in text or "Valid-Until" in text:
        return f"the archive's Release file is too old; set {EXPIRED_VARIABLE}=1 if you trust this archive all the same"
    return "is Debian's archive reachable (apt update), and is there space left (df)?"
