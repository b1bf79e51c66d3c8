"""`doctor`: this machine's fitness, each failing with its fix."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from swarmlab import providers
from swarmlab.errors import SwarmlabError
from swarmlab.lab import home
from swarmlab.lab.options import INVENTORY

ARP_LIMIT = Path("/proc/sys/net/ipv4/neigh/default/gc_thresh3")
ARP_TASKS = 30  # every ordered pair of that many tasks on one kernel fills the default table of 1024 (measured)


@dataclass(frozen=True)
class Fitness:
    """One thing that was looked at. What is not `needed` is no problem when it is missing: something else takes its
    place.
    """

    name: str
    ok: bool
    detail: str
    fix: str = ""
    needed: bool = True


def doctor(inventory: Path | None = None) -> list[Fitness]:
    """Everything that can be known without making a host. Raises UsageError when nobody here can read the inventory."""
    if inventory:
        providers.get(INVENTORY)
    return [_python(), _home(), _ssh(), _neighbours(), *_providers()]


def _python() -> Fitness:
    version = ".".join(map(str, sys.version_info[:3]))
    return Fitness("python", sys.version_info >= (3, 11), version, "install Python 3.11 or later")


def _home() -> Fitness:
    try:
        return Fitness("state directory", True, str(home.home()))
    except SwarmlabError as error:
        return Fitness("state directory", False, error.message, error.fix)


def _ssh() -> Fitness:
    found = shutil.which("ssh")
    return Fitness(
        "ssh client",
        bool(found),
        found or "not found: `swarmlab ssh` and `exec` need it",
        "apt-get install openssh-client",
    )


def _neighbours() -> Fitness:
    try:
        limit = int(ARP_LIMIT.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return Fitness("neighbour table", True, "its limit cannot be read here")
    text = f"holds {limit} entries, shared by all hosts that are containers: enough for about {int(limit**0.5)} tasks"
    return Fitness(
        "neighbour table", limit >= ARP_TASKS**2, text, f"sysctl -w {'net.ipv4.neigh.default.gc_thresh3'}=65536"
    )


def _providers() -> list[Fitness]:
    """One that works is enough."""
    found = {name: providers.get(name).fitness() for name in providers.PROVIDERS}
    enough = any(not problems for problems in found.values())
    rows = []
    for name, problems in found.items():
        rows += [Fitness(f"provider {name}", False, p.text, p.fix, needed=not enough) for p in problems]
        rows += [] if problems else [Fitness(f"provider {name}", True, "works here")]
    return rows
