"""Sizes: what is tried between two hosts that carry one overlay, what came of it, and how much room an overlay
needs.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field

from swarmlab.model.expectation import Expectation
from swarmlab.model.probe import Endpoint

TOO_BIG = "too big"
UNDERLAY = "underlay"

VXLAN = 20 + 8 + 8 + 14  # the outer IPv4 and UDP headers, VXLAN's own, and the inner Ethernet header
# ESP's header, the initialisation vector, and the check value of rfc4106(gcm(aes)) as the engine asks for it: 64 bits.
_ESP = 8 + 8 + 8
_TRAILER = 2  # padding length and next header; ESP pads so that what it encrypts ends on four bytes


def needed(mtu: int, *, encrypted: bool) -> int:
    """The size of the outer packet that carries a full-size packet of an overlay.

    >>> needed(1450, encrypted=False), needed(1424, encrypted=True), needed(1450, encrypted=True)
    (1500, 1500, 1528)
    """
    if not encrypted:
        return mtu + VXLAN
    inside = mtu + VXLAN - 20 + _TRAILER
    return 20 + _ESP + (inside + 3) // 4 * 4


def at_most(path: int, *, encrypted: bool) -> int:
    """The largest MTU of an overlay whose outer packets fit a path: the inverse of `needed`.

    >>> at_most(1500, encrypted=False), at_most(1500, encrypted=True), at_most(1300, encrypted=False)
    (1450, 1424, 1250)
    """
    if not encrypted:
        return path - VXLAN
    return (path - 20 - _ESP) // 4 * 4 - _TRAILER - (VXLAN - 20)


def option(mtu: int, *, encrypted: bool) -> int:
    """The value of `com.docker.network.driver.mtu` that gives tasks this MTU: the engine takes its headers off what the
    option says.

    >>> option(1250, encrypted=False), option(1224, encrypted=True)
    (1300, 1300)
    """
    return mtu + VXLAN + (_ESP + _TRAILER if encrypted else 0)


@dataclass(frozen=True, kw_only=True)
class SizeProbe:
    """Sizes from one endpoint to another: over `network`, or over the underlay between two hosts themselves
    (`UNDERLAY`).
    """

    id: int
    source: str
    target: str
    address: str
    network: str
    source_host: str
    target_host: str
    expectation: Expectation | None = None


@dataclass(frozen=True)
class MtuPlan:
    """All size probes of one run, and the endpoints that they need."""

    probes: tuple[SizeProbe, ...]
    endpoints: dict[str, Endpoint]
    timeout: float


@dataclass(frozen=True, kw_only=True)
class BulkEvidence:
    """One transfer: complete when `responder` said that it has all `size` bytes; `idle_ms` is how long nothing had
    moved at the end.
    """

    size: int
    responder: str = ""
    moved: int = 0
    ms: float | None = None
    idle_ms: float | None = None
    outcome: str = ""
    detail: str = ""


@dataclass(frozen=True)
class MtuEvidence:
    """One size probe's evidence. `mtu` is the MTU of the interface by which packets left, `largest` the largest packet
    that was acknowledged.

    `small`, `full`: a small packet was acknowledged, one of `mtu` bytes was, sent `tries` times; `exact`: nothing
    larger than `largest` passes.
    """

    probe: int
    _: KW_ONLY
    error: str = ""
    interface: str = ""
    mtu: int = 0
    small: bool = False
    full: bool = False
    largest: int = 0
    exact: bool = False
    tries: int = 0
    responder: str = ""
    detail: str = ""
    control: BulkEvidence | None = None  # the transfer of a few bytes
    bulk: BulkEvidence | None = None


@dataclass(frozen=True, kw_only=True)
class MtuMeasurement:
    """What one run measured of sizes.

    `fragments`: host -> IPv4 fragments that arrived there meanwhile, None when its kernel does not say; the rest as in
    `model.evidence.Measurement`.
    """

    evidence: dict[int, MtuEvidence] = field(default_factory=dict)
    fragments: dict[str, int | None] = field(default_factory=dict)
    dead_endpoints: dict[str, str] = field(default_factory=dict)
    dead_hosts: dict[str, str] = field(default_factory=dict)
    missing_features: dict[str, tuple[str, ...]] = field(default_factory=dict)
