"""Which Linux capabilities a container host can have: all that the engine itself has."""

from __future__ import annotations

from pathlib import Path

# By number, as <linux/capability.h> counts them.
NAMES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
)


def missing(status: str, last: int) -> tuple[str, ...]:
    """The capabilities up to number `last` that the bounding set in a /proc/PID/status lacks.

    >>> missing("CapBnd:\\t000001fffeffffff", 40)
    ('SYS_RESOURCE',)
    """
    words = [line.split()[1] for line in status.splitlines() if line.startswith("CapBnd:")]
    bounding = int(words[0], 16) if words else -1
    return tuple(name for number, name in enumerate(NAMES) if number <= last and not bounding >> number & 1)


def missing_here() -> tuple[str, ...]:
    """The capabilities that this process can never have; () where there is no /proc."""
    status, last = Path("/proc/self/status"), Path("/proc/sys/kernel/cap_last_cap")
    if not (status.exists() and last.exists()):
        return ()
    return missing(status.read_text(), int(last.read_text()))


def drops_to_try() -> list[tuple[str, ...]]:
    """What to leave out, likeliest first. The engine may have less than we do (it runs elsewhere, or in a
    container).
    """
    return list(dict.fromkeys([missing_here(), (), ("SYS_RESOURCE",)]))
