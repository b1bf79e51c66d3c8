"""What was measured. Evidence holds no opinion: the verdict is another value, so that a saved run can be judged
again.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from enum import Enum


class Outcome(str, Enum):
    """What the sender saw. Five kinds of "no answer" that must never be confused, and two that say that nothing was
    measured.
    """

    ANSWERED = "answered"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"  # an ICMP error or a failed ARP came back
    NO_ROUTE = "no_route"  # the sender's own kernel refused: nothing left
    SEND_ERROR = "send_error"  # the sender's own kernel failed: no memory, neighbour table full
    LISTENER_DEAD = "listener_dead"
    SENDER_DEAD = "sender_dead"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Evidence:
    """One probe's evidence, both sides. None means "not known", never "no".

    `left`: the request was seen leaving the sender's namespace (`via` names the interface); `asked`: its ARP question
    was; `seen`: the target's own capture saw the request; `answer_left`: and saw an answer leave. `lost_records` is how
    many packets the captures of either side dropped: above 0, a None must stay a None.
    """

    probe: int
    outcome: Outcome
    _: KW_ONLY
    responder: str = ""
    latency_ms: float | None = None
    left: bool | None = None
    asked: bool | None = None
    via: str = ""
    seen: bool | None = None
    answer_left: bool | None = None
    sends: int = 0
    lost_records: int = 0
    detail: str = ""


@dataclass(frozen=True)
class NameEvidence:
    """One DNS answer. `rcode` is NOERROR, NXDOMAIN, SERVFAIL, REFUSED, …, or "" when nothing came."""

    probe: int
    outcome: Outcome
    _: KW_ONLY
    rcode: str = ""
    addresses: tuple[str, ...] = ()
    latency_ms: float | None = None
    sends: int = 0
    detail: str = ""


@dataclass(frozen=True)
class NetworkEvidence:
    """A network as one host's engine describes it; `found` is False when that host does not have it."""

    network: str
    host: str
    _: KW_ONLY
    found: bool
    id: str = ""
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measurement:
    """Everything that one round measured, by the ids of its probes and questions.

    `dead_endpoints`: endpoint -> why nothing can be said about it, `dead_hosts` likewise; `missing_features`: host ->
    kernel features that it does not have; `capture_missed`: (endpoint, protocol) whose capture missed a request that
    was answered.
    """

    probes: dict[int, Evidence] = field(default_factory=dict)
    names: dict[int, NameEvidence] = field(default_factory=dict)
    dead_endpoints: dict[str, str] = field(default_factory=dict)
    dead_hosts: dict[str, str] = field(default_factory=dict)
    missing_features: dict[str, tuple[str, ...]] = field(default_factory=dict)
    capture_missed: frozenset[tuple[str, str]] = frozenset()
