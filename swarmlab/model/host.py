"""Hosts: machines reached over SSH, whoever made them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# The external client on the underlay that is in no Swarm: a host like any other, but that it has no engine.
OUTSIDE = "outside"
# Of a lab. A scenario's file may ask for fewer (scenario.names), and each provider says how many it has room for.
MOST_HOSTS = 100


def numbered(count: int) -> tuple[str, ...]:
    """What a scenario's file calls the hosts of its lab, and what those are called that have no name of their own.

    >>> numbered(2)
    ('host1', 'host2')
    """
    return tuple(f"host{number}" for number in range(1, count + 1))


@dataclass(frozen=True)
class SshEndpoint:
    """How a host is reached: its key is pinned in `known_hosts`, ours is `identity`."""

    address: str
    port: int
    user: str
    identity: Path | None
    known_hosts: Path


@dataclass(frozen=True)
class Host:
    """One machine of a lab. `address` is its address on the underlay, which the other hosts use."""

    name: str
    address: str
    ssh: SshEndpoint


@dataclass(frozen=True)
class HostFacts:
    """What a host says about itself once it is reached. `missing_features`: what its kernel lacks (`ip_vs`, `esp`)."""

    name: str
    address: str
    engine: str = ""
    kernel: str = ""
    missing_features: tuple[str, ...] = ()
