"""How large packets may be: `mtu`. Sizes are those of IPv4 packets, in bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Optional

from swarmlab.agent.protocol.bounds import MAX_BULK, MAX_SIZES, Address, AtMost, Between, Milliseconds, Timeout, Total
from swarmlab.agent.protocol.message import Request


@dataclass(frozen=True)
class SizeSpec:
    """A direction to measure. `bulk` is how many bytes are transferred by TCP as well, and a few bytes beside them; 0:
    nothing.
    """

    id: Annotated[int, Between(0, 2**16 - 2)]  # the upper half of a nonce's id; the lower one is the size
    source: str
    address: Address
    bulk: Annotated[int, Between(0, MAX_BULK)] = 0


@dataclass(frozen=True)
class BulkResult:
    """One transfer. `moved` is what the other side's kernel acknowledged, `idle_ms` how long ago the last of it."""

    size: Total
    outcome: str = ""
    responder: str = ""
    moved: Total = 0
    ms: Milliseconds = None
    idle_ms: Milliseconds = None
    detail: str = ""


@dataclass(frozen=True)
class SizeResult:
    """`small`, `full`: a small datagram was acknowledged, one of `mtu` bytes was, sent `tries` times. `largest` passed;
    `exact`: one byte more did not, or the interface has no room for it. `control` is the transfer of a few bytes.
    """

    id: Total
    error: str = ""
    interface: str = ""
    mtu: Total = 0
    small: bool = False
    full: bool = False
    largest: Total = 0
    exact: bool = False
    tries: Total = 0
    responder: str = ""
    detail: str = ""
    control: Optional[BulkResult] = None  # noqa: UP045
    bulk: Optional[BulkResult] = None  # noqa: UP045


@dataclass(frozen=True)
class Fragments:
    """IPv4 fragments that this host received and made since it booted; None where its kernel does not say."""

    arrived: Optional[Total] = None  # noqa: UP045
    made: Optional[Total] = None  # noqa: UP045


@dataclass(frozen=True)
class MtuAnswer:
    """One entry for each size probe, and the host's counters."""

    sizes: Annotated[tuple[SizeResult, ...], AtMost(MAX_SIZES)] = ()
    fragments: Fragments = field(default_factory=Fragments)


@dataclass(frozen=True)
class Mtu(Request[MtuAnswer], op="mtu"):
    """For each size probe, at once: datagrams with DF to the run's UDP port, small ones, and full-size ones, as large
    as the MTU of the interface by which they leave; when these are lost three times, the sizes in between.

    Answered as soon as all are settled: after `timeout` seconds, or a transfer that has not moved for so long; at four
    time-outs, when one still moves. Without size probes only the counters are told.
    """

    timeout: Timeout
    sizes: Annotated[tuple[SizeSpec, ...], AtMost(MAX_SIZES, "objects", "id")] = ()
