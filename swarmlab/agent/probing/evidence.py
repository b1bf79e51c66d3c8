"""A settled attempt as the protocol's answer, with what the sender's own capture saw of it."""

from __future__ import annotations

import functools
import ipaddress
import socket

from swarmlab.agent.probing import outcomes
from swarmlab.agent.probing.capture import Capture
from swarmlab.agent.probing.endpoint import Endpoint
from swarmlab.agent.probing.packet_index import key_of
from swarmlab.agent.probing.probe import ProbeAttempt

_SILENT = "nothing left and nobody was asked for the target's hardware address: the sender's own firewall, or a full neighbour table"


def entry(attempt: ProbeAttempt, table_full: bool) -> dict[str, object]:
    """One line of `fire`'s answer; `table_full`: the neighbour table overflowed during this batch."""
    found = {
        "id": attempt.id,
        "outcome": attempt.outcome,
        "responder": attempt.responder,
        "latency_ms": attempt.latency if attempt.outcome == outcomes.ANSWERED else None,
        "sport": attempt.sport,
        "left": True,
        "asked": None,
        "via": "",
        "sends": attempt.sends,
        "lost_records": 0,
        "detail": attempt.detail,
    }
    if attempt.outcome != outcomes.ANSWERED and attempt.endpoint.capture is not None:
        found.update(_captured(attempt, attempt.endpoint.capture))
        _explain_silence(found, table_full)
        _explain_unreachable(found)
    return found


def _captured(attempt: ProbeAttempt, capture: Capture) -> dict[str, object]:
    key = key_of(attempt.protocol, attempt.id, attempt.sport, attempt.port)
    return {
        "left": capture.found(capture.index.left, key)
        if attempt.sends
        else False,  # our kernel refused: no need to look
        "asked": _asked(attempt, capture),
        "via": capture.index.left.get(key, (0, ""))[1],
        "lost_records": capture.lost,
    }


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


def _explain_silence(found: dict[str, object], table_full: bool) -> None:
    """TCP is not told that the neighbour table is full: its SYN vanishes without a word, not even an ARP question."""
    if (found["outcome"], found["left"], found["asked"]) != (outcomes.TIMED_OUT, False, False):
        return
    found["detail"] = f"{found['detail']} {outcomes.FULL if table_full else _SILENT}".strip()
    if table_full:
        found["outcome"] = outcomes.SEND_ERROR


def _explain_unreachable(found: dict[str, object]) -> None:
    """Unreachable although nothing left: the kernel gave up on ARP, whose question may be older than this batch."""
    if found["outcome"] == outcomes.UNREACHABLE and found["left"] is False and found["asked"] is not None:
        found["asked"] = True
        found["detail"] = f"{found['detail']} ARP got no answer".strip()


def dead_probe(probe: int, reason: str) -> dict[str, object]:
    """Nothing was measured."""
    return {
        "id": probe,
        "outcome": outcomes.SENDER_DEAD,
        "responder": "",
        "latency_ms": None,
        "sport": 0,
        "left": None,
        "asked": None,
        "via": "",
        "sends": 0,
        "lost_records": 0,
        "detail": reason,
    }


def dead_name(probe: int, reason: str) -> dict[str, object]:
    """Nothing was asked."""
    return {
        "id": probe,
        "outcome": outcomes.SENDER_DEAD,
        "rcode": "",
        "addresses": [],
        "latency_ms": None,
        "sends": 0,
        "detail": reason,
    }
