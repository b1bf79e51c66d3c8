"""A settled attempt as a result, with what the sender's own capture saw of it."""

from __future__ import annotations

import functools
import ipaddress
import socket

from swarmlab.agent.probing import outcomes
from swarmlab.agent.probing.capture import Capture
from swarmlab.agent.probing.endpoint import Endpoint
from swarmlab.agent.probing.packet_index import key_of
from swarmlab.agent.probing.probe import ProbeAttempt
from swarmlab.agent.protocol.probing import NameResult, ProbeResult

_SILENT = (
    "nothing left and nobody was asked for the target's hardware address: "
    "the sender's own firewall, or a full neighbour table"
)


def result(attempt: ProbeAttempt, table_full: bool) -> ProbeResult:
    """One entry of `fire`'s answer. `table_full`: the neighbour table overflowed during this batch."""
    capture = attempt.endpoint.capture
    if attempt.outcome == outcomes.ANSWERED or capture is None:
        latency = attempt.latency if attempt.outcome == outcomes.ANSWERED else None
        return ProbeResult(
            attempt.id, attempt.outcome, attempt.responder, latency, attempt.sport, True,
            sends=attempt.sends, detail=attempt.detail,
        )  # fmt: skip
    key = key_of(attempt.protocol, attempt.id, attempt.sport, attempt.port)
    # What our own kernel refused did not leave: no need to look.
    left = capture.found(capture.index.left, key) if attempt.sends else False
    asked = _asked(attempt, capture)
    via = capture.index.left.get(key, (0, ""))[1]
    outcome, asked, detail = explained(attempt.outcome, left, _asked(attempt, capture), attempt.detail, table_full)
    return ProbeResult(
        attempt.id,
        outcome,
        attempt.responder,
        None,
        attempt.sport,
        left,
        asked,
        via,
        attempt.sends,
        capture.lost,
        detail,
    )


def explained(
    outcome: str, left: bool | None, asked: bool | None, detail: str, table_full: bool
) -> tuple[str, bool | None, str]:
    """Outcome, `asked` and detail, where what the capture saw tells more than the socket.

    TCP is not told that the neighbour table is full: its SYN vanishes without a word, not even an ARP question.
    Unreachable although nothing left: the kernel gave up on ARP, whose question may be older than this batch.
    """
    if (outcome, left, asked) == (outcomes.TIMED_OUT, False, False):
        detail = f"{detail} {outcomes.FULL if table_full else _SILENT}".strip()
        return outcomes.SEND_ERROR if table_full else outcome, asked, detail
    if outcome == outcomes.UNREACHABLE and left is False and asked is not None:
        return outcome, True, f"{detail} ARP got no answer".strip()
    return outcome, asked, detail


def _asked(attempt: ProbeAttempt, capture: Capture) -> bool | None:
    """Whether ARP asked for the target. Only a target on the link is asked for: for any other it would be a router."""
    if ":" in attempt.address:
        return None
    if socket.inet_aton(attempt.address) in capture.index.asked:
        return True
    return False if not capture.lost and on_link(attempt.endpoint, attempt.address) else None


def on_link(endpoint: Endpoint, address: str) -> bool:
    """Inside a subnet of one of the endpoint's own interfaces."""
    subnets = (network(text) for addresses in endpoint.interfaces.values() for text in addresses)
    return any(ipaddress.ip_address(address) in subnet for subnet in subnets)


@functools.lru_cache(maxsize=4096)
def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """The subnet of an address with its prefix length."""
    return ipaddress.ip_interface(text).network


def dead_probe(probe: int, reason: str) -> ProbeResult:
    """Nothing was measured."""
    return ProbeResult(probe, outcomes.SENDER_DEAD, detail=reason)


def dead_name(probe: int, reason: str) -> NameResult:
    """Nothing was asked."""
    return NameResult(probe, outcomes.SENDER_DEAD, detail=reason)
