"""Hosts: machines reached over SSH, whoever made them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

OUTSIDE = (
    "outside"  # the external client on the underlay that is in no Swarm; a host like any other, but for its engine
)


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
    """What a host says about itself once it is reached. `lacks` names kernel features that it does not have (`ip_vs`,
    `esp`).
    """

    name: str
    address: str
    engine: str = ""
    kernel: str = ""
    missing_features: tuple[str, ...] = ()
