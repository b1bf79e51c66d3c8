"""A small real lab for the tests of the rooms `remote` and `providers`: made once for a module, gone after it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from swarmlab.events import Bus
from swarmlab.lab.fleet import Fleet
from swarmlab.model.host import Host, numbered
from swarmlab.providers import HostsWanted, Provider, get


@dataclass(frozen=True)
class Lab:
    """Hosts that run, and what they were asked for with."""

    provider: Provider
    wanted: HostsWanted
    hosts: list[Host]


def wanted(directory: Path, count: int) -> HostsWanted:
    """A lab of a name that no other run of these tests has."""
    unique = f"test-{os.getpid()}-{directory.name[-12:]}".lower().replace("_", "-").rstrip("-")
    return HostsWanted(unique, numbered(count), "", "tests", directory)


def created(provider: Provider, wanted: HostsWanted) -> list[Host]:
    """The hosts, running and greeted."""
    with Fleet() as fleet:
        return provider.create(wanted, Bus(), fleet.greet)


def lab(directory: Path, count: int) -> Iterator[Lab]:
    """For use in a fixture; skips where the engine cannot, and leaves nothing."""
    provider = get("docker")
    if problems := provider.fitness():
        pytest.skip("; ".join(problem.text for problem in problems))
    asked_for = wanted(directory, count)
    try:
        yield Lab(provider, asked_for, created(provider, asked_for))
    finally:
        provider.destroy(asked_for.lab, asked_for.home)
