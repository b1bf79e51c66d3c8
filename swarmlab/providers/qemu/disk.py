"""The disk that every machine starts from: a root of Debian packages with a kernel, cached by its recipe's hash."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from swarmlab.errors import DeadlinePassed, LabBusy, ProviderError
from swarmlab.events import Bus, Phase
from swarmlab.providers.images import mmdebstrap
from swarmlab.providers.images.machine import DISK_SIZE, INSIDE, MachineRecipe, overlay_tar
from swarmlab.remote import until

ABOUT = "about a minute and 600 MB of disk, once"
# Linux's Documentation/arch/x86/boot.rst: where a kernel's header says where its version is written, a sector further
# on
MAGIC_AT, VERSION_AT, SECTOR = 0x202, 0x20E, 0x200
QUEUE = 1200.0  # seconds to wait for another `up` that makes the same image


@dataclass(frozen=True)
class Disk:
    """A finished one; `path` is its directory in the cache."""

    path: Path

    @property
    def kernel(self) -> Path:
        """Booted directly: no boot loader."""
        return self.path / "kernel"

    @property
    def initrd(self) -> Path:
        """Finds the disk."""
        return self.path / "initrd"

    @property
    def image(self) -> Path:
        """A bare ext4 file system; never written to again."""
        return self.path / "disk.img"


def cache(lab_directory: Path) -> Path:
    """SWARMLAB_HOME/images, made when it is missing: beside the labs, as renaming into it must be one step."""
    path = lab_directory.parent.parent / "images"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@contextmanager
def alone(images: Path) -> Iterator[None]:
    """One builder at a time: two would make the same thing twice, on two cores' worth of time."""
    with (images / "lock").open("a") as file:

        def mine() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        try:
            until(mine, "another swarmlab is done with its image", QUEUE, 0.5)
        except DeadlinePassed as passed:
            raise LabBusy(passed.message, fix="end that process, or wait for it") from passed
        yield


def ensure(recipe: MachineRecipe, lab_directory: Path, bus: Bus) -> Disk:
    """Have the recipe's disk. What is half built lies in the lab's directory, and goes with it."""
    disk = Disk(cache(lab_directory) / recipe.tag)
    if not disk.path.exists():
        kernel = f"kernel {recipe.kernel} of {recipe.borrowed}" if recipe.borrowed else "its kernel"
        what = f"a disk with Debian {recipe.suite}, engine {recipe.engine} and {kernel}: {ABOUT}"
        with bus.phase("image", what) as phase, half_made(lab_directory, disk.path) as work:
            _build(recipe, work, phase)
    _refuse_another_kernel(recipe, disk)
    return disk


def _refuse_another_kernel(recipe: MachineRecipe, disk: Disk) -> None:
    """A suite's kernel changes with time. ProviderError where it is not the version that was asked for."""
    if not recipe.kernel:
        return
    found = release(disk.kernel)
    if not found.startswith(f"{recipe.kernel}."):
        suite = recipe.borrowed or recipe.suite
        raise ProviderError(
            f"kernel {recipe.kernel} is asked for, and what Debian {suite} carries is {found or 'unknown'}",
            fix="leave --kernel out for these hosts, or ask for another one",
        )


def release(kernel: Path) -> str:
    """What a bzImage says it is, such as 6.12.107+deb13-cloud-amd64; "" when it does not say."""
    with kernel.open("rb") as file:
        head = file.read(1 << 16)
    start = int.from_bytes(head[VERSION_AT : VERSION_AT + 2], "little")
    words = head[start + SECTOR :].split(b"\0")[0].split() if start and head[MAGIC_AT : MAGIC_AT + 4] == b"HdrS" else []
    return words[0].decode("ascii", "replace") if words else ""


@contextmanager
def half_made(lab_directory: Path, final: Path) -> Iterator[Path]:
    """A directory to work in, which becomes `final` in one step when all went well."""
    lab_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="image-", dir=lab_directory, ignore_cleanup_errors=True) as scratch:
        work = Path(scratch) / "whole"
        work.mkdir(mode=0o700)
        yield work
        work.rename(final)


def _build(recipe: MachineRecipe, work: Path, phase: Phase) -> None:
    """Root writes where it wants to; others through a directory that the user ids mapped for them may enter too."""
    open_work = None if os.geteuid() == 0 else Path(tempfile.mkdtemp(prefix="swarmlab-image-"))
    out = open_work / "out" if open_work else work
    try:
        if open_work:
            open_work.chmod(0o711)
            out.mkdir()
            out.chmod(0o733)  # may be written to by name only; nobody else can list it
        (work / "overlay.tar").write_bytes(overlay_tar())
        mmdebstrap.run(command(recipe, work / "overlay.tar", out), f"the disk {recipe.tag}", work, phase)
        for name in ("kernel", "initrd", "disk.img"):
            if open_work:
                _copy(out / name, work / name)
            (work / name).chmod(0o600)
        (work / "overlay.tar").unlink()
    finally:
        if open_work:
            shutil.rmtree(open_work, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    """With its holes."""
    subprocess.run(["cp", "--sparse=always", "--", str(source), str(target)], check=True)


def command(recipe: MachineRecipe, files: Path, out: Path) -> list[str]:
    """mmdebstrap's arguments: the root is never written as such, only as a file system made inside its last step."""
    to = shlex.quote(str(out))
    # Bound elsewhere, the root is seen without what mmdebstrap has mounted into it.
    bare = 'mkdir "$1.bare" && mount --bind "$1" "$1.bare"'
    disk = f'truncate -s {DISK_SIZE} {to}/disk.img && mke2fs -q -t ext4 -d "$1.bare" {to}/disk.img; made=$?'
    tidy = 'umount "$1.bare" && rmdir "$1.bare"; exit $made'
    boot = f'cp "$1"/boot/vmlinuz-* {to}/kernel && cp "$1"/boot/initrd.img-* {to}/initrd && rm -rf "$1"/boot/*'
    hooks = [
        *(f"--setup-hook={step}" for step in recipe.before),
        *(f'--customize-hook=chroot "$1" sh -c {shlex.quote(step)}' for step in INSIDE),
        f"--customize-hook=tar-in {shlex.quote(str(files))} /",
        f"--customize-hook=umask 022; {boot} && {bare} && {disk}; {tidy}",
    ]
    return mmdebstrap.arguments(recipe.packages, ["--format=null", *hooks], recipe.suite)
