"""What is on the underlay while canaries pass: `wire_start`, `wire_send`, `wire_look`, `wire_inject`, `wire_stop`; and
what the kernel was told about it: `wire_state`. These do not depend on `open`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from swarmlab.agent.protocol.bounds import (
    MAX_CANARIES,
    MAX_ENDPOINTS,
    MAX_PCAP,
    MAX_RING,
    MIN_RING,
    RING,
    TOKEN,
    AtMost,
    Between,
    Hardware,
    IPv4,
    Length,
    Port,
    Repeats,
    Tag,
    Total,
    Vni,
)
from swarmlab.agent.protocol.message import Request
from swarmlab.agent.protocol.probing import Interfaces, NamespaceSpec
from swarmlab.agent.protocol.readers import Misfit

Arrived = Mapping[str, Mapping[str, Total]]  # endpoint -> canary -> how often it came there
UNTOLD = "its agent did not say"


@dataclass(frozen=True)
class WatchResult:
    """A watched endpoint: why it is not ("" : it is), and the hardware address behind each IPv4 address that it has."""

    id: str
    error: str
    hardware: Mapping[str, Hardware] = field(default_factory=dict)


@dataclass(frozen=True)
class WireStartAnswer:
    """`error` is why the underlay is not captured, "" when it is; `ring_bytes` what the capture can hold."""

    error: str = UNTOLD
    ring_bytes: Total = 0
    interfaces: Interfaces = field(default_factory=dict)
    endpoints: tuple[WatchResult, ...] = ()


@dataclass(frozen=True)
class WireStart(Request[WireStartAnswer], op="wire_start"):
    """Capture the agent's own namespace, both directions, all that is not TCP, into a ring of `budget` bytes, and
    reduce it as it passes. `pcap_bytes` of packets are kept as a pcap file. VXLAN is what goes to UDP `data_port`.

    In each endpoint's namespace, watch for canaries that arrive on UDP `port`. `canaries` are texts by name: the `tag`,
    then 16 hexadecimal digits.
    """

    tag: Tag
    data_port: Port
    port: Port
    canaries: Annotated[Mapping[str, str], AtMost(MAX_CANARIES)] = field(default_factory=dict)
    budget: Annotated[int, Between(MIN_RING, MAX_RING)] = RING
    pcap_bytes: Annotated[int, Between(0, MAX_PCAP)] = 0
    endpoints: Annotated[tuple[NamespaceSpec, ...], AtMost(MAX_ENDPOINTS, "objects", "id")] = ()

    def check(self) -> None:
        """Canaries begin with the tag."""
        wanted = re.compile(f"{re.escape(self.tag)}[0-9a-f]{{{TOKEN}}}")
        for name, canary in self.canaries.items():
            if not wanted.fullmatch(canary):
                raise Misfit(f"canaries: {name[:40]!r}: expected the tag and {TOKEN} hex digits")


@dataclass(frozen=True)
class DatagramSpec:
    """A datagram from a watched endpoint to UDP `port` of `wire_start`."""

    source: str
    address: IPv4
    payload: str
    times: Repeats = 1


@dataclass(frozen=True)
class SentAnswer:
    """For each entry "" or why it could not be sent, in order."""

    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class WireSend(Request[SentAnswer], op="wire_send"):
    """Send datagrams."""

    datagrams: Annotated[tuple[DatagramSpec, ...], AtMost(MAX_ENDPOINTS, "objects")] = ()


@dataclass(frozen=True)
class FrameSpec:
    """A VXLAN frame in clear to `peer`'s `data_port`; inside, a datagram to UDP `port` of a task."""

    peer: IPv4
    data_port: Port
    vni: Vni
    from_hardware: Hardware
    to_hardware: Hardware
    from_address: IPv4
    to_address: IPv4
    port: Port
    payload: str
    times: Repeats = 1


@dataclass(frozen=True)
class WireInject(Request[SentAnswer], op="wire_inject"):
    """Put forged frames on the underlay, past this host's own packet filter and IPsec."""

    frames: Annotated[tuple[FrameSpec, ...], AtMost(MAX_ENDPOINTS, "objects")] = ()


@dataclass(frozen=True)
class WireLookAnswer:
    """Canaries that were read in clear as they `left` this host, and those that arrived in endpoints, so far."""

    left: tuple[str, ...] = ()
    arrived: Arrived = field(default_factory=dict)


@dataclass(frozen=True)
class WireLook(Request[WireLookAnswer], op="wire_look"):
    """What has been seen so far?"""


@dataclass(frozen=True)
class PacketCount:
    """Packets of one kind, one way. `kind` is esp (`number`: SPI), vxlan (VNI), fragment or other (IP protocol)."""

    interface: str
    outgoing: bool
    source: str
    target: str
    kind: str
    number: Total
    packets: Total


@dataclass(frozen=True)
class CanaryRead:
    """A canary that was read in clear in packets of one kind; `excerpt` is what else could be read there."""

    canary: str
    where: PacketCount
    excerpt: str = ""


@dataclass(frozen=True)
class WireStopAnswer:
    """What the capture saw. With `drops`, `uncounted` or `misfits`, or without `complete`, an absence proves nothing.

    `packets` includes those that the ring dropped. `capture_dropped`: watched endpoints whose captures dropped packets.
    """

    packets: Total = 0
    drops: Total = 0
    uncounted: Total = 0
    complete: bool = False
    counts: tuple[PacketCount, ...] = ()
    canaries: tuple[CanaryRead, ...] = ()
    arrived: Arrived = field(default_factory=dict)
    capture_dropped: Mapping[str, Total] = field(default_factory=dict)
    pcap: Annotated[bytes, Length(MAX_PCAP + 1024)] = b""
    left_out_of_pcap: Total = 0
    misfits: int = 0  # how much of the answer was odd


@dataclass(frozen=True)
class WireStop(Request[WireStopAnswer], op="wire_stop"):
    """End the capture. Endpoints stay watched until the next `wire_start`."""


@dataclass(frozen=True)
class XfrmState:
    """One ESP association of the kernel, without its key."""

    source: str
    target: str
    spi: Total
    reqid: Total
    bytes: Total
    packets: Total


@dataclass(frozen=True)
class XfrmPolicy:
    """A policy that leads to ESP: which packets it selects, and by which SPI it sends."""

    source: str
    target: str
    dport: Total
    protocol: Total
    direction: str
    mark: Total
    spi: Total
    reqid: Total


@dataclass(frozen=True)
class FilterRule:
    """A packet filter rule about a VNI. `form` is the iptables that holds it; `place` counts the rules of its chain
    from 1.
    """

    form: str
    table: str
    chain: str
    place: Total
    vni: Total
    target: str
    mark: Total
    dport: Total
    packets: Total


@dataclass(frozen=True)
class WireStateAnswer:
    """`forms` are the listings of rules that were read, `errors` why others were not; `xfrm_error` is why the kernel's
    associations are not known.
    """

    states: tuple[XfrmState, ...] = ()
    policies: tuple[XfrmPolicy, ...] = ()
    xfrm_error: str = UNTOLD
    rules: tuple[FilterRule, ...] = ()
    forms: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class WireState(Request[WireStateAnswer], op="wire_state"):
    """What is the kernel told to do with these VNIs, and how often did it? `forms`: the only listings to read."""

    vnis: Annotated[tuple[Vni, ...], AtMost(MAX_ENDPOINTS, "numbers")] = ()
    forms: Annotated[tuple[str, ...], AtMost(10, "names")] = ()
