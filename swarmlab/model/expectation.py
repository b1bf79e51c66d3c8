"""What should hold, as values: one kind of expectation is one row of data, not a branch."""

from __future__ import annotations

from dataclasses import dataclass

from swarmlab.errors import Place
from swarmlab.model.kinds import Kind

PROTOCOLS = ("tcp", "udp", "icmp")


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """One thing that should hold between two services (or standalone containers), or for one network.

    `network` is the network whose addresses of `to` are meant ("" : all that the kind covers); `protocol` "" means
    every protocol. For kind name, `name` is what is asked; for kind network, `name` is the property (driver, scope,
    internal, attachable, subnets, option:KEY) and `expected` its value. For kind publish, `source` is `outside`, `port`
    the port on the hosts (0: the engine picks it, or any unused one), and `name` says which: `ingress:80` or `host:80`
    (mode, port inside the task), `unpublished`, `unused`.
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
    derived: bool = True
    place: Place | None = None
