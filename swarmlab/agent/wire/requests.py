"""Requests about the wire, checked: whatever does not fit becomes one line of text for the other side."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swarmlab.agent.requests import BadRequest, entries, number, text
from swarmlab.agent.wire.forge import Forgery
from swarmlab.agent.wire.packet_summary import TOKEN

CANARIES_MAX = 5_000
SENDS_MAX = 2_000
TIMES_MAX = 20
BUDGET_MIN, BUDGET, BUDGET_MAX = 1 << 20, 8 << 20, 64 << 20
FILM_MAX = 8 << 20
_TAG = re.compile(r"[a-z0-9]{8,24}")
_HARDWARE = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


@dataclass(frozen=True)
class Watch:
    """A namespace in which canaries should arrive, and from which they are sent."""

    id: str
    pid: int
    container: str
    path: str


@dataclass(frozen=True)
class StartRequest:
    """What `wire_start` asks for."""

    data_port: int
    port: int
    tag: str
    canaries: Mapping[str, str]
    budget: int
    pcap_bytes: int
    watches: tuple[Watch, ...]


@dataclass(frozen=True)
class SendRequest:
    """One entry of `wire_send`."""

    source: str
    address: str
    payload: bytes
    times: int


def start(request: Mapping[str, Any]) -> StartRequest:
    """`wire_start`."""
    tag = text(request, "mark")
    if not _TAG.fullmatch(tag):
        raise BadRequest(f"mark: expected 8 to 24 lower-case letters and digits, got {tag[:40]!r}")
    return StartRequest(
        number(request, "data_port", 1, 65535),
        number(request, "port", 1, 65535),
        tag,
        _canaries(request.get("canaries"), tag),
        number(request, "budget", BUDGET_MIN, BUDGET_MAX, BUDGET),
        number(request, "film", 0, FILM_MAX, 0),
        tuple(_watch(entry) for entry in entries(request, "endpoints", SENDS_MAX)),
    )


def _canaries(given: object, tag: str) -> dict[str, str]:
    """Text -> name."""
    if not isinstance(given, dict) or len(given) > CANARIES_MAX:
        raise BadRequest(f"canaries: expected an object of at most {CANARIES_MAX} entries")
    for name, canary in given.items():
        if not isinstance(canary, str) or not re.fullmatch(f"{tag}[0-9a-f]{{{TOKEN}}}", canary):
            raise BadRequest(f"canaries: {name[:40]!r}: expected the mark and {TOKEN} hex digits")
    return {canary: name for name, canary in given.items()}


def _watch(entry: Mapping[str, Any]) -> Watch:
    path = text(entry, "path", "")
    if path and not path.startswith("/"):
        raise BadRequest(f"path: expected an absolute path, got {path[:40]!r}")
    return Watch(text(entry, "id"), number(entry, "pid", 0, 2**31 - 1, 0), text(entry, "container", ""), path)


def sends(request: Mapping[str, Any]) -> list[SendRequest]:
    """`wire_send`."""
    return [
        SendRequest(
            text(entry, "from"), _address(entry, "address"), _payload(entry), number(entry, "times", 1, TIMES_MAX, 1)
        )
        for entry in entries(request, "sends", SENDS_MAX)
    ]


def forgeries(request: Mapping[str, Any]) -> list[tuple[Forgery, int]]:
    """`wire_inject`: each with how often it is sent."""
    return [
        (_forgery(entry), number(entry, "times", 1, TIMES_MAX, 1)) for entry in entries(request, "frames", SENDS_MAX)
    ]


def _forgery(entry: Mapping[str, Any]) -> Forgery:
    return Forgery(
        _address(entry, "peer"),
        number(entry, "data_port", 1, 65535),
        number(entry, "vni", 1, 2**24 - 1),
        (_hardware(entry, "from_hardware"), _hardware(entry, "to_hardware")),
        (_address(entry, "from_address"), _address(entry, "to_address")),
        number(entry, "port", 1, 65535),
        _payload(entry),
    )


def vnis(request: Mapping[str, Any]) -> set[int]:
    """`wire_state`."""
    given = request.get("vnis", [])
    if not isinstance(given, list) or len(given) > SENDS_MAX:
        raise BadRequest(f"vnis: expected a list of at most {SENDS_MAX} numbers")
    return {number({"vnis": vni}, "vnis", 1, 2**24 - 1) for vni in given}


def forms(request: Mapping[str, Any]) -> list[str]:
    """`wire_state`: which listings of rules are wanted; all when none is named."""
    given = request.get("forms", [])
    if not isinstance(given, list) or len(given) > 10:
        raise BadRequest("forms: expected a list of at most 10 names")
    return [text({"forms": form}, "forms") for form in given]


def _payload(entry: Mapping[str, Any]) -> bytes:
    return text(entry, "payload").encode()


def _address(entry: Mapping[str, Any], key: str) -> str:
    value = text(entry, key)
    try:
        return socket.inet_ntoa(socket.inet_pton(socket.AF_INET, value))
    except (OSError, ValueError):
        raise BadRequest(f"{key}: {value[:40]!r} is not an IPv4 address") from None


def _hardware(entry: Mapping[str, Any], key: str) -> str:
    value = text(entry, key)
    if not _HARDWARE.fullmatch(value):
        raise BadRequest(f"{key}: {value[:40]!r} is not a hardware address")
    return value
