"""Published ports, short form (`8080:80/udp`, ranges) and long form."""

from __future__ import annotations

import re

from swarmlab.errors import Place
from swarmlab.model.scenario import PublishedPort
from swarmlab.scenario.complaints import quoted
from swarmlab.scenario.fields import Fields
from swarmlab.scenario.tree import Items, Scalar, Table

SHORT = re.compile(
    r"(?:(?P<ip>\[[0-9a-fA-F:.%]+\]|[0-9]+(?:\.[0-9]+){3}):)?(?:(?P<published>[0-9]+(?:-[0-9]+)?)?:)?"
    r"(?P<target>[0-9]+(?:-[0-9]+)?)(?:/(?P<protocol>\w+))?"
)
PROTOCOLS = ("tcp", "udp", "sctp")
MODES = ("ingress", "host")
HIGHEST = 65535
MOST = 1000  # ports of one service


def read_ports(fields: Fields) -> tuple[PublishedPort, ...]:
    """Every port that a service publishes."""
    ports: list[PublishedPort] = []
    for node in fields.items("ports"):
        if isinstance(node, Scalar):
            ports += _short(node, fields)
        elif isinstance(node, Table):
            ports += _long(Fields(node, f"{fields.where}: ports", fields.complaints))
        elif isinstance(node, Items):
            fields.complaints.add(node.place, f"{fields.where}: ports: expected text or a mapping, found a list")
        if len(ports) > MOST:
            fields.complaints.add(node.place, f"{fields.where}: more than {MOST} published ports")
            return ()
    return tuple(ports)


def _short(node: Scalar, fields: Fields) -> list[PublishedPort]:
    match = SHORT.fullmatch(node.text[:200])
    if match is None:
        text = f'{quoted(node.text)} is not a port; expected "PUBLISHED:TARGET", like "8080:80/tcp"'
        fields.complaints.add(node.place, f"{fields.where}: {text}")
        return []
    protocol = (match["protocol"] or "tcp").lower()
    targets = _range(match["target"], node.place, fields)
    published = _range(match["published"] or "", node.place, fields)
    if not _known(protocol, PROTOCOLS, node.place, fields) or targets is None or published is None:
        return []
    if len(published) == len(targets):
        pairs = list(zip(targets, published, strict=True))
    elif len(targets) == 1:  # a range published for one port: each of the range leads to it
        pairs = [(targets[0], port) for port in published] or [(targets[0], 0)]
    elif not published:
        pairs = [(port, 0) for port in targets]
    else:
        fields.complaints.add(node.place, f"{fields.where}: port ranges of different length: {quoted(node.text)}")
        return []
    return [PublishedPort(target, port, protocol, "ingress") for target, port in pairs]


def _range(text: str, place: Place, fields: Fields) -> range | None:
    """The ports of `80` or `80-82`; an empty range for "", None after a complaint."""
    if not text:
        return range(0)
    first, _, last = text.partition("-")
    for number in (first, last or first):
        if len(number) > 9 or not 1 <= int(number) <= HIGHEST:
            fields.complaints.add(
                place, f"{fields.where}: port {number[:20]} is out of range; ports go from 1 to {HIGHEST}"
            )
            return None
    if int(last or first) < int(first):
        fields.complaints.add(place, f"{fields.where}: the port range {text} runs backwards")
        return None
    if int(last or first) - int(first) >= MOST:
        fields.complaints.add(place, f"{fields.where}: the port range {text} is longer than {MOST} ports")
        return None
    return range(int(first), int(last or first) + 1)


def _long(fields: Fields) -> list[PublishedPort]:
    target = fields.number("target", 1, HIGHEST)
    if fields.table.get("target") is None:
        fields.complaints.add(
            fields.table.place, f"{fields.where}: `target:` is missing, the port inside the container"
        )
    published = fields.number("published", 0, HIGHEST) or 0
    protocol, mode = fields.text("protocol") or "tcp", fields.text("mode") or "ingress"
    good = _known(protocol, PROTOCOLS, fields.table.place_of("protocol"), fields)
    good = _known(mode, MODES, fields.table.place_of("mode"), fields) and good
    return [PublishedPort(target, published, protocol, mode)] if target and good else []


def _known(name: str, known: tuple[str, ...], place: Place, fields: Fields) -> bool:
    if name not in known:
        fields.complaints.add(place, f"{fields.where}: {quoted(name)} is none of {', '.join(known)}")
    return name in known
