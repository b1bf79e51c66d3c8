"""Where labs are remembered: SWARMLAB_HOME, else the XDG state directory. Everything in it is for its owner only (0700, 0600)."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from swarmlab.errors import LabBusy, ProviderError


def home() -> Path:
    """The state directory, made when it is missing."""
    given = os.environ.get("SWARMLAB_HOME")
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    path = Path(given) if given else Path(state) / "swarmlab"
    return private_directory(path.absolute())


def private_directory(path: Path) -> Path:
    """Make it, for its owner only. Raises ProviderError naming the path when that cannot be."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
    except OSError as error:
        raise ProviderError(
            f"{path}: cannot be used to keep state: {error.strerror}", fix="point SWARMLAB_HOME at a directory of yours"
        ) from error
    return path


def owner_id() -> str:
    """Tells this home from another one on the same engine; kept in a label, so it is a digest and no path."""
    return hashlib.sha256(str(home()).encode()).hexdigest()[:12]


def lab_directory(lab: str) -> Path:
    """The lab's own directory, which need not exist."""
    return home() / "labs" / lab


def names() -> list[str]:
    """The labs that have state here."""
    labs = home() / "labs"
    return sorted(p.name for p in labs.iterdir() if p.is_dir()) if labs.is_dir() else []


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
    """One swarmlab at a time works on a lab; the kernel drops the lock when we die. Raises LabBusy with the other's process id."""
    path = private_directory(home() / "locks") / f"{lab}.lock"
    with path.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            pid = file.read(20).strip() or "unknown"
            raise LabBusy(f"lab {lab!r} is in use by another swarmlab (process {pid})", fix="wait for it, or end that process") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)
