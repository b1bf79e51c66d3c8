"""Requests, checked: whatever does not fit becomes one line of text for the other side."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from swarmlab.agent.kernel.bpf import MAX_PORTS
from swarmlab.agent.probing.capture import BUFFER
from swarmlab.agent.probing.endpoint import Spec
from swarmlab.agent.protocol import BULK_MAX

ENDPOINTS_MAX = 2_000
PROBES_MAX = 200_000
TRIALS_MAX = 10_000
TIMEOUT_MAX = 120.0
_TEXT_MAX = 300
_RUN = re.compile(r"[0-9a-f]{16}")
PROTOCOLS = ("tcp", "udp", "icmp")


class BadRequest(ValueError):
    """What is wrong with a request."""


@dataclass(frozen=True)
class ProbeRequest:
    """One entry of `fire`."""

    id: int
    source: str
    protocol: str
    address: str
    port: int


@dataclass(frozen=True)
class NameRequest:
    """One entry of `fire`'s names."""

    id: int
    source: str
    name: str
    accepted: tuple[frozenset[str], ...]
    server: str


@dataclass(frozen=True)
class SeenRequest:
    """One entry of `seen`."""

    id: int
    target: str
    protocol: str
    port: int
    sport: int


@dataclass(frozen=True)
class SizeRequest:
    """One entry of `mtu`."""

    id: int
    source: str
    address: str
    bulk: int


def text(entry: Mapping[str, Any], key: str, default: str | None = None) -> str:
    """A short string."""
    value = entry.get(key, default)
    if not isinstance(value, str) or len(value) > _TEXT_MAX:
        raise BadRequest(f"{key}: expected a string of at most {_TEXT_MAX} characters, got {str(value)[:40]!r}")
    return value


def number(entry: Mapping[str, Any], key: str, low: int, high: int, default: int | None = None) -> int:
    """An integer in a range."""
    value = entry.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadRequest(f"{key}: expected a number from {low} to {high}, got {str(value)[:40]!r}")
    return value


def entries(request: Mapping[str, Any], key: str, most: int) -> list[Mapping[str, Any]]:
    """A list of objects; absent means empty."""
    value = request.get(key, [])
    if not isinstance(value, list) or len(value) > most or not all(isinstance(entry, dict) for entry in value):
        raise BadRequest(f"{key}: expected a list of at most {most} objects")
    return value


def run(request: Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits."""
    value = text(request, "run")
    if not _RUN.fullmatch(value):
        raise BadRequest(f"run: expected 16 hex digits, got {value[:40]!r}")
    return value


def port(request: Mapping[str, Any]) -> int:
    """The run's port."""
    return number(request, "port", 1, 65535)


def timeout(request: Mapping[str, Any]) -> float:
    """Seconds."""
    value = request.get("timeout")
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= TIMEOUT_MAX:
        raise BadRequest(f"timeout: expected seconds, more than 0 and at most {TIMEOUT_MAX:g}, got {str(value)[:40]!r}")
    return float(value)


def specs(request: Mapping[str, Any], run_port: int) -> list[Spec]:
    """The endpoints to open; ids must differ."""
    found = [_spec(entry, run_port) for entry in entries(request, "endpoints", ENDPOINTS_MAX)]
    if len({spec.id for spec in found}) != len(found):
        raise BadRequest("endpoints: an id occurs twice")
    return found


def _spec(entry: Mapping[str, Any], run_port: int) -> Spec:
    ports, watched = _ports(entry, "extra_ports"), _ports(entry, "watched")
    if len(ports | watched) >= MAX_PORTS:
        raise BadRequest(f"extra_ports and watched: expected fewer than {MAX_PORTS} ports together")
    path = text(entry, "path", "")
    if path and not path.startswith("/"):
        raise BadRequest(f"path: expected an absolute path, got {path[:40]!r}")
    return Spec(
        text(entry, "id"),
        number(entry, "pid", 0, 2**31 - 1, 0),
        text(entry, "container", ""),
        path,
        tuple(sorted(ports - {run_port})),
        tuple(sorted(watched - ports - {run_port})),
        number(entry, "buffer", 1, 4 * BUFFER, BUFFER),
    )


def _ports(entry: Mapping[str, Any], key: str) -> set[int]:
    listed = entry.get(key, [])
    if not isinstance(listed, list) or len(listed) >= MAX_PORTS:
        raise BadRequest(f"{key}: expected a list of fewer than {MAX_PORTS} ports")
    return {number({key: value}, key, 1, 65535) for value in listed}


def protocol(entry: Mapping[str, Any]) -> str:
    """One of the three."""
    value = text(entry, "protocol")
    if value not in PROTOCOLS:
        raise BadRequest(f"protocol: expected one of {', '.join(PROTOCOLS)}, got {value[:40]!r}")
    return value


def _address(value: object, known: dict[str, str]) -> str:
    """An address in its usual spelling, IPv4 or IPv6; `known` spares the many repetitions."""
    if not isinstance(value, str):
        raise BadRequest(f"address: expected a string, got {str(value)[:40]!r}")
    if value not in known:
        family = socket.AF_INET6 if ":" in value else socket.AF_INET
        try:
            known[value] = socket.inet_ntop(family, socket.inet_pton(family, value))
        except (OSError, ValueError):
            raise BadRequest(f"address: {value[:40]!r} is not an IP address") from None
    return known[value]


def probes(request: Mapping[str, Any]) -> list[ProbeRequest]:
    """What to fire; ids must differ."""
    known: dict[str, str] = {}
    found = []
    for entry in entries(request, "probes", PROBES_MAX):
        kind = protocol(entry)
        target = number(entry, "port", 0 if kind == "icmp" else 1, 65535, 0 if kind == "icmp" else None)
        address = _address(entry.get("address"), known)
        found.append(ProbeRequest(number(entry, "id", 0, 2**32 - 2), text(entry, "from"), kind, address, target))
    _distinct("probes", (probe.id for probe in found), len(found))
    return found


def _distinct(what: str, ids: Iterable[int], count: int) -> None:
    if len(set(ids)) != count:
        raise BadRequest(f"{what}: an id occurs twice")


def names(request: Mapping[str, Any]) -> list[NameRequest]:
    """What to ask; ids must differ."""
    known: dict[str, str] = {}
    found = [_name(entry, known) for entry in entries(request, "names", PROBES_MAX)]
    _distinct("names", (name.id for name in found), len(found))
    return found


def _name(entry: Mapping[str, Any], known: dict[str, str]) -> NameRequest:
    accepted = entry.get("accepted", [])
    if not isinstance(accepted, list) or not all(isinstance(group, list) for group in accepted):
        raise BadRequest("accepted: expected a list of lists of addresses")
    groups = tuple(frozenset(_address(value, known) for value in group) for group in accepted)
    server = _address(entry.get("server", "127.0.0.11"), known)
    return NameRequest(number(entry, "id", 0, 2**32 - 2), text(entry, "from"), text(entry, "name"), groups, server)


def sizes(request: Mapping[str, Any]) -> list[SizeRequest]:
    """What to try sizes on; ids must differ, and fit the upper half of a nonce's."""
    known: dict[str, str] = {}
    found = [
        SizeRequest(
            number(entry, "id", 0, 2**16 - 2),
            text(entry, "from"),
            _address(entry.get("address"), known),
            number(entry, "bulk", 0, BULK_MAX, 0),
        )
        for entry in entries(request, "trials", TRIALS_MAX)
    ]
    _distinct("trials", (trial.id for trial in found), len(found))
    return found


def seen(request: Mapping[str, Any]) -> list[SeenRequest]:
    """What to look up in captures."""
    return [
        SeenRequest(
            number(entry, "id", 0, 2**32 - 2),
            text(entry, "target"),
            protocol(entry),
            number(entry, "port", 0, 65535, 0),
            number(entry, "sport", 0, 65535, 0),
        )
        for entry in entries(request, "probes", PROBES_MAX)
    ]
