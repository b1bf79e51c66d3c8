"""Where labs are remembered: SWARMLAB_HOME, else the XDG state directory. Everything in it is for its owner only (0700,
0600).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from swarmlab.errors import LabBusy, ProviderError
from swarmlab.lab.options import LAB_NAME


def home() -> Path:
    """The state directory, made when it is missing."""
    given = os.environ.get("SWARMLAB_HOME")
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    path = Path(given) if given else Path(state) / "swarmlab"
    return _home(path.absolute())


def _home(path: Path) -> Path:
    """Ours from the start, or empty: then it becomes private. One that holds other things (`/tmp`) keeps its mode;
    `labs` is private.
    """
    try:
        if path.is_dir() and next(path.iterdir(), None):
            return path
    except OSError as error:
        raise _unusable(path, error) from error
    return private_directory(path)


def private_directory(path: Path) -> Path:
    """Make it, for its owner only. Raises ProviderError naming the path when that cannot be."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
    except OSError as error:
        raise _unusable(path, error) from error
    return path


def _unusable(path: Path, error: OSError) -> ProviderError:
    return ProviderError(
        f"{path}: cannot be used to keep state: {error.strerror}", fix="point SWARMLAB_HOME at a directory of yours"
    )


def owner_id() -> str:
    """Tells this home from another one on the same engine; kept in a label, so it is a digest and no path."""
    return hashlib.sha256(str(home()).encode()).hexdigest()[:12]


def lab_directory(lab: str) -> Path:
    """The lab's own directory, which need not exist."""
    return private_directory(home() / "labs") / lab


def names() -> list[str]:
    """The labs that have state here; what cannot be a lab's name was put there by somebody else."""
    labs = private_directory(home() / "labs")
    return sorted(p.name for p in labs.iterdir() if p.is_dir() and LAB_NAME.fullmatch(p.name))


def forget(lab: str) -> bool:
    """Remove the lab's directory; says whether there was one."""
    directory = lab_directory(lab)
    existed = directory.exists()
    shutil.rmtree(directory, ignore_errors=False) if existed else None
    return existed


def write(path: Path, data: str, mode: int = 0o600) -> None:
    """Atomically: a reader sees the old text or the new one, whatever happens to us."""
    private_directory(path.parent)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def locked(lab: str) -> Iterator[None]:
    """One swarmlab at a time works on a lab; the kernel drops the lock when we die. Raises LabBusy with the other's
    process id.
    """
    path = private_directory(home() / "locks") / f"{lab}.lock"
    with _lock(path, lab) as file:
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
            if not lab_directory(lab).exists():  # the lab is gone: nothing of it stays
                path.unlink(missing_ok=True)


def _lock(path: Path, lab: str) -> TextIO:
    """The locked file. A `down` that has just ended may have removed the file that we opened: we open another."""
    while True:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                return file
            file.close()
        except BlockingIOError as error:
            with file:
                file.seek(0)
                pid = file.read(20).strip() or "unknown"
            raise LabBusy(
                f"lab {lab!r} is in use by another swarmlab (process {pid})", fix="wait for it, or end that process"
            ) from error
