"""Providers make hosts. The registry is an explicit table; a provider's libraries are imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable

from swarmlab.errors import UsageError
from swarmlab.providers.base import HostsWanted, Problem, Provider

__all__ = ["PROVIDERS", "HostsWanted", "Problem", "Provider", "get"]


def _docker() -> Provider:
    from swarmlab.providers.docker.provider import DockerProvider

    return DockerProvider()


def _qemu() -> Provider:
    from swarmlab.providers.qemu.provider import QemuProvider

    return QemuProvider()


PROVIDERS: dict[str, Callable[[], Provider]] = {"docker": _docker, "qemu": _qemu}


def get(name: str) -> Provider:
    """The provider of that name; an unknown one lists the known ones."""
    if name not in PROVIDERS:
        raise UsageError(f"there is no provider `{name}`", fix=f"use one of: {', '.join(PROVIDERS)}")
    return PROVIDERS[name]()
