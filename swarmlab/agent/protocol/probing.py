"""Endpoints opened, probes and names fired, captures asked: `hello`, `open`, `fire`, `seen`, `close`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Optional

from swarmlab.agent.protocol.bounds import (
    CAPTURE_BUFFER,
    MAX_ENDPOINTS,
    MAX_PORTS,
    MAX_PROBES,
    Address,
    AtMost,
    Between,
    Feature,
    Flag,
    Id,
    InterfaceAddress,
    Milliseconds,
    Path,
    Pid,
    Port,
    PortOrNone,
    Protocol,
    RunId,
    Timeout,
    Total,
)
from swarmlab.agent.protocol.message import Request
from swarmlab.agent.protocol.readers import Misfit

SILENT = "the connection was accepted, and nothing was said"  # the `detail` of such a probe
Interfaces = Mapping[str, tuple[InterfaceAddress, ...]]


@dataclass(frozen=True)
class HelloAnswer:
    """Who the agent is, and what its host's kernel cannot do (`ip_vs`, `esp`). `nofile`: descriptors that it may open;
    `clock`: the host's own, in Unix seconds.
    """

    version: int = 0
    python: str = ""
    kernel: str = ""
    missing_features: tuple[Feature, ...] = ()
    nofile: Total = 0
    clock: Optional[float] = None  # noqa: UP045


@dataclass(frozen=True)
class Hello(Request[HelloAnswer], op="hello"):
    """Who is there?"""


@dataclass(frozen=True)
class NamespaceSpec:
    """An endpoint's namespace: that of `pid`, which must belong to `container` where one is given; else `path`; else
    the agent's own.
    """

    id: str
    pid: Pid = 0
    container: str = ""
    path: Path = ""


@dataclass(frozen=True)
class EndpointSpec(NamespaceSpec):
    """An endpoint to open. `extra_ports` are listened on where they are free; `watched` are captured without listening;
    `buffer` is the size of its capture in bytes.
    """

    extra_ports: tuple[Port, ...] = ()
    watched: tuple[Port, ...] = ()
    buffer: Annotated[int, Between(1, 4 * CAPTURE_BUFFER)] = CAPTURE_BUFFER

    def check(self) -> None:
        """More ports do not fit a capture's filter."""
        if len({*self.extra_ports, *self.watched}) >= MAX_PORTS:
            raise Misfit(f"extra_ports and watched: expected fewer than {MAX_PORTS} ports together")


@dataclass(frozen=True)
class EndpointResult:
    """An endpoint after `open`. `error` is "", or begins with "gone: " (no such process or namespace, or not that
    container's), "port_taken: " or "failed: ". A value of `extra_ports` is "ours" (the agent listens) or "taken" (an
    application does, and will be probed instead).
    """

    id: str
    error: str
    interfaces: Interfaces = field(default_factory=dict)
    extra_ports: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OpenAnswer:
    """One entry for each endpoint."""

    endpoints: tuple[EndpointResult, ...] = ()


@dataclass(frozen=True)
class Open(Request[OpenAnswer], op="open"):
    """Enter each endpoint's namespace; open a TCP and a UDP listener on `port` there, on every address, and a capture.

    The capture sees both directions, filtered to the run's port, extra and watched ports, ICMP echo and ARP. What was
    open before is closed.
    """

    run: RunId
    port: Port
    endpoints: Annotated[tuple[EndpointSpec, ...], AtMost(MAX_ENDPOINTS, "objects", "id")] = ()


@dataclass(frozen=True)
class ProbeSpec:
    """One packet exchange to try, from endpoint `source`. ICMP has no port."""

    id: Id
    source: str
    protocol: Protocol
    address: Address
    port: PortOrNone = 0

    def check(self) -> None:
        """A port is needed but for ICMP."""
        if not self.port and self.protocol != "icmp":
            raise Misfit("port: expected a number from 1 to 65535, got '0'")


@dataclass(frozen=True)
class NameSpec:
    """A name to ask `server` for. With `accepted` sets of addresses it is asked again until the answer is one of them;
    without, until there is any.
    """

    id: Id
    source: str
    name: str
    accepted: tuple[frozenset[Address], ...] = ()
    server: Address = "127.0.0.11"


@dataclass(frozen=True)
class ProbeResult:
    """What the sender saw. `outcome` is a value of swarmlab.model.evidence.Outcome; `responder` the endpoint that the
    answer itself named, "" for ICMP and applications. Only for a probe without an answer the sender's capture is asked:
    `left` (by interface `via`), `asked`: its ARP question left; `lost_records`: packets that the capture dropped.

    A TCP connection to another port than the run's that was accepted, after which nothing came for a moment, is
    answered with the detail SILENT: the kernel accepts for a program that listens, even if that never looks.
    """

    id: Id
    outcome: str = ""
    responder: str = ""
    latency_ms: Milliseconds = None
    sport: PortOrNone = 0
    left: Flag = None
    asked: Flag = None
    via: str = ""
    sends: Total = 0
    lost_records: Total = 0
    detail: str = ""


@dataclass(frozen=True)
class NameResult:
    """The last answer to a name. `rcode` is NOERROR, NXDOMAIN, …, or "" when nothing came."""

    id: Id
    outcome: str = ""
    rcode: str = ""
    addresses: Annotated[tuple[str, ...], AtMost(1_000)] = ()
    latency_ms: Milliseconds = None
    sends: Total = 0
    detail: str = ""


@dataclass(frozen=True)
class FireAnswer:
    """One entry for each probe and name."""

    probes: Annotated[tuple[ProbeResult, ...], AtMost(MAX_PROBES)] = ()
    names: Annotated[tuple[NameResult, ...], AtMost(MAX_PROBES)] = ()


@dataclass(frozen=True)
class Fire(Request[FireAnswer], op="fire"):
    """Send everything at once, against one deadline of `timeout` seconds; answered as soon as all are settled.

    UDP and ICMP requests without an answer are sent again, at least twice, before the deadline.
    """

    timeout: Timeout
    probes: Annotated[tuple[ProbeSpec, ...], AtMost(MAX_PROBES, "objects", "id")] = ()
    names: Annotated[tuple[NameSpec, ...], AtMost(MAX_PROBES, "objects", "id")] = ()


@dataclass(frozen=True)
class SeenSpec:
    """A request that another agent sent, to be looked up in `target`'s capture: UDP and ICMP by the nonce, TCP by both
    ports.
    """

    id: Id
    target: str
    protocol: Protocol
    port: PortOrNone = 0
    sport: PortOrNone = 0


@dataclass(frozen=True)
class SeenResult:
    """Whether the request was seen there, and an answer to it leaving; None where the capture dropped packets."""

    id: Id
    seen: Flag = None
    answer_left: Flag = None
    lost_records: Total = 0


@dataclass(frozen=True)
class SeenAnswer:
    """One entry for each question, in order. `listeners`: for each target "" when its listeners answer from within now,
    else why not.
    """

    probes: Annotated[tuple[SeenResult, ...], AtMost(MAX_PROBES)] = ()
    listeners: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen(Request[SeenAnswer], op="seen"):
    """What did the targets' captures see? This ends a round: all agents are asked after a batch, before the next."""

    probes: Annotated[tuple[SeenSpec, ...], AtMost(MAX_PROBES, "objects")] = ()


@dataclass(frozen=True)
class CloseAnswer:
    """Done."""


@dataclass(frozen=True)
class Close(Request[CloseAnswer], op="close"):
    """Close every socket and let go of every namespace; `open` may follow again."""
