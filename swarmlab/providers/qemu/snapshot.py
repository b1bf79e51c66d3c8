"""The warm start: one machine is booted until its engine answers, and saved there; hosts are copies that wake up in
that moment.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from swarmlab.errors import ProviderError
from swarmlab.events import Bus, Phase
from swarmlab.providers.base import HostsWanted
from swarmlab.providers.qemu import processes
from swarmlab.providers.qemu.disk import Disk, cache, half_made
from swarmlab.providers.qemu.machine import Machine, argv
from swarmlab.providers.qemu.sockets import Monitor, lines, monitor
from swarmlab.remote import until

BOOT = {"kvm": 60.0, "tcg": 400.0}  # seconds until dockerd answers; emulated, 25 on an idle machine
ABOUT = {"kvm": "some seconds, once", "tcg": "about half a minute on an idle machine, once"}
# The memory stays in the file that it is in: a state of half a megabyte, and copies that share what they do not change.
SHARED = [{"capability": "x-ignore-shared", "state": True}]
STOPPED = " stopped: "  # images/machine-guest, when it gives up
START = 60.0  # seconds for QEMU to be there


@dataclass(frozen=True)
class Snapshot:
    """A saved machine; `path` is its directory in the cache."""

    path: Path
    disk: Disk
    accelerator: str

    @property
    def ram(self) -> Path:
        """Its memory. Copies map it privately: they never write to it."""
        return self.path / "ram"

    @property
    def state(self) -> Path:
        """Its devices."""
        return self.path / "state"

    @property
    def image(self) -> Path:
        """Its disk in that moment, over the one it started from."""
        return self.path / "disk.qcow2"


def snapshot(disk: Disk, accelerator: str, images: Path) -> Snapshot:
    """Where the state of this disk, on this QEMU and accelerator, is or will be."""
    shape = argv(Machine("", "", "", Path(), Path(), Path(), Path(), "qcow2", accelerator), ram=Path(), snapshot=True)
    material = json.dumps([disk.path.name, version(), shape])
    return Snapshot(
        images / f"{disk.path.name}-{accelerator}-{hashlib.sha256(material.encode()).hexdigest()[:8]}",
        disk,
        accelerator,
    )


def version() -> str:
    """QEMU's own first line: a state fits the QEMU that saved it."""
    ran = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True, timeout=20, check=False)
    return ran.stdout.splitlines()[0] if ran.stdout else "unknown"


def ensure(disk: Disk, accelerator: str, wanted: HostsWanted, bus: Bus) -> Snapshot:
    """Have the saved state."""
    saved = snapshot(disk, accelerator, cache(wanted.directory))
    if not saved.path.exists():
        what = f"booting one machine and saving it: {ABOUT[accelerator]}"
        with bus.phase("warm-up", what) as phase, half_made(wanted.directory, saved.path) as work:
            _save(Snapshot(work, disk, accelerator), wanted, phase)
    return saved


def _save(half: Snapshot, wanted: HostsWanted, phase: Phase) -> None:
    make_disk(half.image, half.disk.image, "raw")
    one = machine(wanted, "warmup", half, half.path, half.image)
    try:
        start(one, argv(one, ram=half.ram, share=True, snapshot=True))
        _wait_ready(one, phase)
        phase("saving it")
        with monitor(one.file("qmp")) as tell:
            tell("stop")
            tell("migrate-set-capabilities", capabilities=SHARED)
            tell("migrate", uri=f"exec:cat >{shlex.quote(str(half.state))}")
            _settled(tell, "query-migrate", "completed")
            tell("quit")
        until(lambda: not _processes(wanted, "warmup"), "the saved machine has ended", START)
    finally:
        processes.kill(_processes(wanted, "warmup"))
    for kind in ("qmp", "way", "console"):
        one.file(kind).unlink(missing_ok=True)


def _wait_ready(one: Machine, phase: Phase) -> None:
    """In slices, so that a user sees that time passes."""
    begun, patience = time.monotonic(), BOOT[one.accelerator]
    with lines(one.file("way")) as way:
        said: list[str] = []

        def ready() -> bool:
            told = last_line(one.file("console"))
            phase(f"{time.monotonic() - begun:.0f} s: {told or 'the kernel starts'}")
            if STOPPED in told:
                raise ProviderError(f"the machine that was to be saved did not come up: {told}")
            try:
                said.append(way.receive(1.0))
            except TimeoutError:
                return False
            return True

        until(ready, "the machine's engine answers", patience, last=lambda: last_line(one.file("console")))
    if said != ["ready"]:
        raise ProviderError(f"the machine said {said[0][:80]!r} in place of ready")


def restore(one: Machine, saved: Snapshot, port: int) -> None:
    """Have this machine run, as a copy of the saved one."""
    start(one, argv(one, ram=saved.ram, port=port, snapshot=True, wait=True))
    with monitor(one.file("qmp")) as tell:
        tell("migrate-set-capabilities", capabilities=SHARED)
        tell("migrate-incoming", uri=f"exec:cat {shlex.quote(str(saved.state))}")
        _settled(tell, "query-migrate", "completed")
        tell("cont")


def _settled(tell: Monitor, question: str, wanted: str) -> None:
    def answer() -> str | None:
        status = str(tell(question).get("status", ""))
        if status == "failed":
            raise ProviderError(
                f"QEMU could not move a machine's state: {tell(question).get('error-desc', 'no reason given')}"
            )
        return status if status == wanted else None

    until(answer, f"{question} says {wanted}", START, 0.02)


def start(one: Machine, words: list[str]) -> None:
    """Start QEMU in a session of its own; ProviderError with what it says when it does not start."""
    for kind in ("qmp", "way"):
        one.file(kind).unlink(missing_ok=True)
    ran = subprocess.run(
        words, cwd=one.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=START, check=False
    )
    if ran.returncode:
        raise ProviderError(
            f"{one.host}: QEMU does not start: {ran.stderr.strip()[-400:] or f'status {ran.returncode}'}"
        )


def machine(wanted: HostsWanted, host: str, saved: Snapshot, folder: Path, disk: Path) -> Machine:
    """A machine of this lab that starts from `saved`."""
    return Machine(
        wanted.lab, host, wanted.home, folder, saved.disk.kernel, saved.disk.initrd, disk, "qcow2", saved.accelerator
    )


def make_disk(path: Path, backing: Path, backing_format: str) -> None:
    """A disk that holds only what differs from `backing`."""
    words = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(backing), "-F", backing_format, str(path)]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    if ran.returncode:
        raise ProviderError(
            f"{path}: qemu-img cannot make it: {ran.stderr.strip()[-400:]}", fix="is there space left (df)?"
        )


def last_line(console: Path) -> str:
    """What the machine said last, on its console."""
    try:
        text = console.read_bytes()[-2000:].decode("utf-8", "replace")
    except OSError:
        return ""
    return next((line.strip()[:120] for line in reversed(text.splitlines()) if line.strip()), "")


def _processes(wanted: HostsWanted, host: str) -> list[processes.Running]:
    return [one for one in processes.machines(wanted.home, wanted.lab) if one.host == host]
