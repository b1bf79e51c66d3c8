"""KVM only where it really boots a guest: that /dev/kvm exists, or opens, says little."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from swarmlab.providers.qemu.machine import trial_argv

DEVICE = Path("/dev/kvm")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
SECONDS = 15.0  # where KVM works, the trial takes one or two
REACHED = b"VFS: "  # the kernel ran all the way to where it wants a disk


def why_not_kvm(kernel: Path, images: Path) -> str:
    """Why machines are emulated; "" when KVM boots this kernel. It is tried once for each boot of this computer, and
    remembered beside the images.
    """
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        return f"{DEVICE} {'may not be used by this user' if DEVICE.exists() else 'does not exist'}"
    note = images / f"kvm-{_boot()}"
    if not note.exists():
        half = note.with_suffix(f".{os.getpid()}")
        half.write_text(_trial(kernel), encoding="utf-8")
        half.replace(note)
    return note.read_text(encoding="utf-8")


def _trial(kernel: Path) -> str:
    try:
        ran = subprocess.run(
            trial_argv(kernel),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{DEVICE} exists, but a guest did not boot on it within {SECONDS:g} s"
    if REACHED in ran.stdout:
        return ""
    return f"{DEVICE} exists, but no guest boots on it"


def _boot() -> str:
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"
