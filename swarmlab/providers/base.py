"""What every provider is: something that makes hosts which answer over SSH, and removes them again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from swarmlab.events import Bus
from swarmlab.model.host import OUTSIDE, Host

LAB = "io.swarmlab.lab"
HOST = "io.swarmlab.host"
HOME = "io.swarmlab.home"


def host_names(count: int) -> list[str]:
    """host1, host2, …"""
    return [f"host{number}" for number in range(1, count + 1)]


@dataclass(frozen=True)
class Problem:
    """Why something cannot work here, and what to do about it."""

    text: str
    fix: str


@dataclass(frozen=True)
class HostsWanted:
    """`count` hosts for a lab. `engine` is "", "20.10" or "host1=20.10,host2=28.5"; `home` is the id of the state
    directory that owns the lab; `directory` is the lab's own (0700); `avoid` are subnets that the scenario uses;
    `outside` asks for one more machine on the underlay, without an engine: the host called `outside`, the last of those
    that `create` returns. `kernel` is like `engine`, for hosts with a kernel of their own: "" is the one that comes
    with the engine.
    """

    lab: str
    count: int
    engine: str
    home: str
    directory: Path
    avoid: tuple[str, ...] = ()
    outside: bool = False
    kernel: str = ""

    @property
    def names(self) -> list[str]:
        """The hosts' names: host1, host2, …"""
        return host_names(self.count)

    @property
    def machines(self) -> list[str]:
        """All that is to be made: the hosts, and what stands beside them."""
        return [*self.names, *([OUTSIDE] if self.outside else [])]


# Waits until a host that has just been started answers, and may keep the connection. Raises HostError or
# DeadlinePassed.
Greeting = Callable[[Host], None]


class Provider(Protocol):
    """Makes hosts. All methods but `create` and `prepare` are quick."""

    name: str

    def fitness(self) -> list[Problem]:
        """Why this provider cannot work here; [] when it can."""
        ...

    def prepare(self, wanted: HostsWanted, bus: Bus) -> None:
        """Have the images that these hosts need: slow once, cached then."""
        ...

    def create(self, wanted: HostsWanted, bus: Bus, greet: Greeting) -> list[Host]:
        """Have these hosts run and answer; completes a half-made set, starts what stopped.

        `greet` is called from several threads, for hosts that cannot say by themselves when they are ready.
        """
        ...

    def destroy(self, lab: str, home: str) -> list[str]:
        """Remove all that carries the lab's and the home's label; returns what was removed. SwarmRefused for another
        home's lab.
        """
        ...

    def found(self, home: str) -> dict[str, list[str]]:
        """Labs of this home that have anything here, each with the names of its hosts."""
        ...
