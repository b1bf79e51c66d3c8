"""Providers make hosts. The registry is an explicit table; a provider's libraries are imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from swarmlab.errors import UsageError
from swarmlab.providers.base import Asking, Availability, HostsWanted, Kernel, Problem, Provider

__all__ = [
    "PROVIDERS",
    "Asking",
    "Availability",
    "HostsWanted",
    "Kernel",
    "Problem",
    "Provider",
    "Row",
    "automatic",
    "get",
    "row",
]


@dataclass(frozen=True)
class Row:
    """One provider, and what is known of it without importing it. `cost` orders those that `--provider auto` tries, the
    cheapest first; None keeps it for those who name it. All that `auto` may take call their hosts the same.
    """

    load: Callable[[], Provider]
    kernel: Kernel
    cost: int | None

    @property
    def owned(self) -> bool:
        """Whether its hosts are made for a lab: only those may be taken out of a Swarm that the lab did not form."""
        return self.kernel is not Kernel.KEPT


def _docker() -> Provider:
    from swarmlab.providers.docker.provider import DockerProvider

    return DockerProvider()


def _qemu() -> Provider:
    from swarmlab.providers.qemu.provider import QemuProvider

    return QemuProvider()


PROVIDERS: dict[str, Row] = {
    "docker": Row(_docker, Kernel.SHARED, cost=1),
    "qemu": Row(_qemu, Kernel.CHOSEN, cost=2),
}


def row(name: str) -> Row:
    """The provider's row; UsageError for an unknown name, which lists the known ones."""
    if name not in PROVIDERS:
        raise UsageError(f"there is no provider `{name}`", fix=f"use one of: {', '.join(PROVIDERS)}")
    return PROVIDERS[name]


def get(name: str) -> Provider:
    """The provider of that name. Raises UsageError for an unknown one."""
    return row(name).load()


def automatic() -> list[str]:
    """The providers that `--provider auto` tries, the cheapest first."""
    costs = {name: found.cost for name, found in PROVIDERS.items() if found.cost is not None}
    return sorted(costs, key=costs.__getitem__)
