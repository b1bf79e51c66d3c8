"""The wire: canaries that pass over overlays, what captures on the underlay saw of them, what kernels were told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import ENCRYPTED
from swarmlab.model.probe import Endpoint

MARK = 0xD0C4E3  # by which the engine's rules hand an encrypted overlay's packets to IPsec


@dataclass(frozen=True, kw_only=True)
class TunnelPath:
    """One canary from a task on one host to a task on another, over one overlay. `forged` is the canary of a forged
    frame in clear.

    `plain`: the engine says that the overlay is not encrypted. `expectation` is None for a lab's own control.
    """

    name: str
    network: str
    vnis: frozenset[int]
    plain: bool
    source: Endpoint
    target: Endpoint
    from_address: str
    to_address: str
    canary: str
    forged: str
    expectation: Expectation | None = None

    @property
    def direction(self) -> tuple[str, str]:
        """Sender's and target's host."""
        return self.source.host, self.target.host

    @property
    def forged_name(self) -> str:
        """Under which agents know the forged frame's canary."""
        return f"{self.name}f"


@dataclass(frozen=True)
class WirePlan:
    """All canaries of one run. `addresses` are the hosts' own on the underlay."""

    tag: str
    port: int
    data_port: int
    paths: tuple[TunnelPath, ...]
    addresses: Mapping[str, str]

    @property
    def hosts(self) -> tuple[str, ...]:
        """Those that send or receive a canary."""
        return tuple(sorted({host for p in self.paths for host in p.direction}))

    @property
    def guarded(self) -> tuple[TunnelPath, ...]:
        """Those on overlays that are, or should be, encrypted: kernels are asked about them, and frames forged for
        them.
        """
        return tuple(
            p for p in self.paths if not p.plain or (p.expectation is not None and p.expectation.expected == ENCRYPTED)
        )


@dataclass(frozen=True, kw_only=True)
class Count:
    """Packets of one kind, in one direction, on one interface.

    `kind` is esp (`number`: SPI), vxlan (VNI), fragment or other (protocol).
    """

    interface: str
    outgoing: bool
    source: str
    target: str
    kind: str
    number: int
    packets: int


@dataclass(frozen=True)
class CanaryHit:
    """A canary that a capture read in clear; `excerpt` is what else could be read there."""

    canary: str
    where: Count
    excerpt: str


@dataclass(frozen=True, kw_only=True)
class Capture:
    """What one host's capture saw. `error` is why there is none; with `unseen` packets an absence proves nothing."""

    error: str = ""
    packets: int = 0
    unseen: int = 0
    complete: bool = True
    counts: tuple[Count, ...] = ()
    canaries_read: tuple[CanaryHit, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether what it did not see was not there."""
        return not self.error and self.complete and not self.unseen


@dataclass(frozen=True)
class Association:
    """One ESP association of a kernel, without its key."""

    source: str
    target: str
    spi: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What a kernel does with packets that carry a mark: encrypts those from `source` to `target`, port `dport`."""

    source: str
    target: str
    dport: int
    direction: str
    mark: int
    spi: int


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One packet filter rule about a VNI; `form` is which iptables holds it."""

    form: str
    table: str
    chain: str
    place: int
    vni: int
    target: str
    mark: int
    dport: int
    packets: int


@dataclass(frozen=True)
class KernelState:
    """What a host's kernel was told about encrypted overlays. `errors` are parts that could not be read."""

    associations: tuple[Association, ...] = ()
    policies: tuple[Policy, ...] = ()
    rules: tuple[Rule, ...] = ()
    forms: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WireMeasurement:
    """What one run brought home. `arrived` has the names of canaries, forged ones too, that came to their target."""

    captures: Mapping[str, Capture] = field(default_factory=dict)
    before: Mapping[str, KernelState] = field(default_factory=dict)
    after: Mapping[str, KernelState] = field(default_factory=dict)
    arrived: frozenset[str] = frozenset()
    unsent: Mapping[str, str] = field(default_factory=dict)  # name of a canary, forged or not -> why it was not sent
    capture_dropped: frozenset[str] = frozenset()  # endpoints whose own captures lost packets
    dead: Mapping[str, str] = field(default_factory=dict)  # hosts whose agents cannot be asked
    missing_features: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    addresses: Mapping[str, frozenset[str]] = field(default_factory=dict)  # host -> addresses that only it has
    pcaps: Mapping[str, bytes] = field(default_factory=dict)  # host -> pcap file
