"""A settled shot as the protocol's answer, with what the sender's own capture saw of it."""

from __future__ import annotations

import functools
import ipaddress
import socket

from swarmlab.agent import outcomes
from swarmlab.agent.capture import Capture
from swarmlab.agent.endpoint import Endpoint
from swarmlab.agent.ledger import key_of
from swarmlab.agent.probe import ProbeShot

_SILENT = "nothing left and nobody was asked for the target's hardware address: the sender's own firewall, or a full neighbour table"


def entry(shot: ProbeShot, table_full: bool) -> dict[str, object]:
    """One line of `fire`'s answer; `table_full`: the neighbour table overflowed during this volley."""
    found = {
        "id": shot.id,
        "outcome": shot.outcome,
        "responder": shot.responder,
        "latency_ms": shot.latency if shot.outcome == outcomes.ANSWERED else None,
        "sport": shot.sport,
        "left": True,
        "asked": None,
        "via": "",
        "sends": shot.sends,
        "lost_records": 0,
        "detail": shot.detail,
    }
    if shot.outcome != outcomes.ANSWERED and shot.endpoint.capture is not None:
        found.update(_captured(shot, shot.endpoint.capture))
        _explain_silence(found, table_full)
        _explain_unreachable(found)
    return found


def _captured(shot: ProbeShot, capture: Capture) -> dict[str, object]:
    key = key_of(shot.protocol, shot.id, shot.sport, shot.port)
    return {
        "left": capture.found(capture.ledger.left, key) if shot.sends else False,  # our kernel refused: no need to look
        "asked": _asked(shot, capture),
        "via": capture.ledger.left.get(key, (0, ""))[1],
        "lost_records": capture.lost,
    }


def _asked(shot: ProbeShot, capture: Capture) -> bool | None:
    """Whether ARP asked for the target. Only a target on the link is asked for: for any other it would be a router."""
    if ":" in shot.address:
        return None
    if socket.inet_aton(shot.address) in capture.ledger.asked:
        return True
    return False if not capture.lost and on_link(shot.endpoint, shot.address) else None


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
    """Unreachable although nothing left: the kernel gave up on ARP, whose question may be older than this volley."""
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
