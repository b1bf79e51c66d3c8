"""Endpoints and probes: one probe is one measurement between two endpoints."""

from __future__ import annotations

from dataclasses import dataclass, field

from swarmlab.model.expectation import Expectation


@dataclass(frozen=True)
class Address:
    """One address of an endpoint. `network` is the scenario's key, or the engine's own name (docker_gwbridge), or "" if
    unknown.
    """

    address: str
    network: str
    interface: str = ""


@dataclass(frozen=True)
class Endpoint:
    """A network namespace that probes leave from or arrive at.

    `id` is stable between runs: SERVICE.SLOT, SERVICE.HOST (global), a standalone container's name,
    `bridge:NETWORK@HOST` (an overlay's own namespace on a host), `host:HOST` (the host itself), `control@HOST` (the
    lab's control task), `outside`. `role` is task, container, bridge, host, control or outside. The namespace is
    `pid`'s (which must belong to `container`) or `path`; neither means the agent's own. `alive` is "" or the reason why
    it cannot vouch for anything (paused, exited).
    """

    id: str
    host: str
    role: str
    service: str = ""
    pid: int = 0
    container: str = ""
    path: str = ""
    addresses: tuple[Address, ...] = ()
    impaired: str = ""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One packet exchange to be tried: from `source` to `address` of `target`. `purpose` is check or control."""

    id: int
    source: str
    target: str
    address: str
    network: str
    protocol: str
    port: int
    purpose: str = "check"
    expectation: Expectation | None = None


@dataclass(frozen=True, kw_only=True)
class NameProbe:
    """One question to the embedded DNS, asked in `source`'s own namespace.

    `accepted` are the answers that would be right, each a set of addresses; empty for a control or a deny.
    """

    id: int
    source: str
    name: str
    target: str = ""
    accepted: tuple[frozenset[str], ...] = ()
    purpose: str = "check"
    expectation: Expectation | None = None


@dataclass(frozen=True, kw_only=True)
class ProbePlan:
    """All that one run measures at once."""

    endpoints: dict[str, Endpoint]
    probes: tuple[Probe, ...]
    names: tuple[NameProbe, ...]
    port: int
    run: str
    timeout: float
    extra_ports: dict[str, tuple[int, ...]] = field(default_factory=dict)
    watched: dict[str, tuple[int, ...]] = field(default_factory=dict)  # ports captured there, besides those listened on


@dataclass(frozen=True, kw_only=True)
class PortInUse:
    """A port that the engine publishes for a service; `host` "" means every host (ingress mode)."""

    service: str
    protocol: str
    published: int
    target: int
    host: str
