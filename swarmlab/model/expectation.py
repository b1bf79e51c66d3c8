"""What should hold, as values: one kind of expectation is one row of data, not a branch."""

from __future__ import annotations

from dataclasses import dataclass

from swarmlab.errors import Place
from swarmlab.model.kinds import Kind

PROTOCOLS = ("tcp", "udp", "icmp")
_OPTION = "option:"


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """One thing that should hold between two services (or standalone containers), for one network, or for a port.

    `network` is the network whose addresses of `target` are meant ("": all that the kind covers); `protocol` "" means
    every protocol. What `name` holds, the row of the kind says.

    For kind publish, `source` is `outside`, `port` the port on the hosts (0: the engine picks it, or any unused one),
    `name` which port is meant (`ingress` or `host`, the mode in which it is published; `unpublished`, `unused`,
    `explicit`), and `inside` the port inside the task that it leads to.
    """

    kind: Kind
    expected: str
    because: str
    source: str = ""
    target: str = ""
    network: str = ""
    protocol: str = ""
    port: int = 0
    name: str = ""
    inside: int = 0
    derived: bool = True
    place: Place | None = None

    @property
    def label(self) -> str:
        """Its name for a person, with the port inside the task where there is one.

        >>> Expectation(kind=Kind.PUBLISH, expected="allow", because="", name="ingress", inside=80).label
        'ingress:80'
        """
        return f"{self.name}:{self.inside}" if self.inside else self.name


def option(key: str) -> str:
    """The property of a network that holds a driver option.

    >>> option("encrypted"), is_option(option("encrypted")), is_option("driver")
    ('option:encrypted', True, False)
    """
    return f"{_OPTION}{key}"


def is_option(name: str) -> bool:
    """Whether that property of a network is a driver option: an engine says nothing about one that is not set."""
    return name.startswith(_OPTION)
