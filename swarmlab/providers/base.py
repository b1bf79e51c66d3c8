"""What every provider is: something that makes hosts which answer over SSH, and removes them again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from swarmlab.events import Bus
from swarmlab.model.host import OUTSIDE, Host


class Kernel(Enum):
    """Which kernel a provider's hosts run. The value says why `--kernel` cannot name one; "" where it can."""

    SHARED = "containers share this machine's kernel"
    KEPT = "hosts that exist already keep the kernel that they run"
    OWN = "its hosts bring a kernel of their own"
    CHOSEN = ""


@dataclass(frozen=True)
class Problem:
    """Why something cannot work here, and what to do about it."""

    text: str
    fix: str


@dataclass(frozen=True)
class Availability:
    """Whether hosts have a kernel feature; None when that is not known. `why` is how we know, or why we do not."""

    has: bool | None
    why: str


@dataclass(frozen=True)
class Asking:
    """What is needed to ask a kernel that exists already. `agent` gives the agent's archive, which knows the questions;
    `notes` gives the directory in which answers may be kept (it raises ProviderError when it cannot be used).
    """

    agent: Callable[[], bytes]
    notes: Callable[[], Path]


@dataclass(frozen=True)
class HostsWanted:
    """Hosts for a lab, by their names. A lab that grows has new names behind those that it had. `engine` is "", "20.10"
    or "NAME=20.10,NAME=28.5"; `kernel` is like it, for hosts with a kernel of their own: "" is the one that comes with
    the engine. `home` is the id of the state directory that owns the lab; `directory` is the lab's own (0700); `avoid`
    are subnets that the scenario uses. `outside` asks for one more machine on the underlay, without an engine: the host
    called `outside`, the last of those that `create` returns.
    """

    lab: str
    names: tuple[str, ...]
    engine: str
    home: str
    directory: Path
    avoid: tuple[str, ...] = ()
    outside: bool = False
    kernel: str = ""

    @property
    def machines(self) -> list[str]:
        """All that is to be made: the hosts, and what stands beside them."""
        return [*self.names, *([OUTSIDE] if self.outside else [])]

    def number_of(self, machine: str) -> int:
        """A host's position among the names, from 1; 0 for the machine outside. It stays for as long as the lab lives.

        >>> wanted = HostsWanted("shop", ("alpha", "beta-2"), "", "home", Path("labs/shop"))
        >>> wanted.number_of("beta-2"), wanted.number_of("outside")
        (2, 0)
        """
        return 0 if machine == OUTSIDE else self.names.index(machine) + 1


# Waits until a host that has just been started answers, and may keep the connection. Raises HostError or
# DeadlinePassed.
Greeting = Callable[[Host], None]


class Describing(Protocol):
    """What can be asked of a provider before there is a host; also of one that cannot work here. All of it is quick,
    and changes nothing.
    """

    @property
    def name(self) -> str:
        """What the table calls it."""
        ...

    @property
    def most(self) -> int | None:
        """How many hosts it can make; None: as many as are wanted."""
        ...

    def host_names(self, count: int) -> tuple[str, ...]:
        """What its hosts are called: with a larger count, the same names and more behind them."""
        ...

    def software(self, engine: str, kernel: str, hosts: Sequence[str]) -> dict[str, dict[str, str]]:
        """For each host its `engine` and, where it has one of its own, its `kernel`, when these are asked for as in
        HostsWanted. Raises UsageError for what cannot be.
        """
        ...

    def fitness(self) -> list[Problem]:
        """Why this provider cannot work here; [] when it can."""
        ...

    def features(self, asking: Asking | None) -> Mapping[str, Availability]:
        """Which kernel features its hosts have, by the names in model.kinds; a feature that is left out is known only
        once the hosts run. With `asking` None nothing depends on the answer, and no kernel is asked.
        """
        ...


class Provisioning(Protocol):
    """Making hosts, finding them and removing them. `destroy` and `found` are quick."""

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


class Provider(Describing, Provisioning, Protocol):
    """Says what its hosts would be, and makes them."""
