"""What should hold on the hosts' own addresses, as seen from outside the Swarm: only for a file that publishes
something.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from swarmlab.model.expectation import Expectation
from swarmlab.model.host import OUTSIDE
from swarmlab.model.kinds import ALLOW, DENY, Kind
from swarmlab.model.scenario import HOST, INGRESS, Network, PublishedPort, Service
from swarmlab.scenario.names import PREDEFINED

UNPUBLISHED, UNUSED, EXPLICIT = "unpublished", "unused", "explicit"
OWN = frozenset(
    {("tcp", 22), ("tcp", 2377), ("tcp", 7946), ("udp", 7946), ("udp", 4789)}
)  # a host's own: its sshd and its Swarm
WHY = {
    INGRESS: "{who} publishes {what} in ingress mode: the routing mesh answers on every host",
    HOST: "{who} publishes {what} in host mode: a host answers where a task of {who} runs, and nowhere else",
}


def published(services: Mapping[str, Service], networks: Mapping[str, Network]) -> Iterator[Expectation]:
    """Every published port, the ports inside tasks that nobody publishes, and one that nobody uses at all.

    A service in its host's own namespace publishes nothing: whatever it listens on is a port of the host.
    """
    predefined = {key for key, network in networks.items() if network.driver in PREDEFINED}
    running = [s for s in services.values() if s.replicas != 0 and not predefined & s.networks.keys()]
    if not any(service.ports for service in running):
        return
    for service in running:
        for port in dict.fromkeys(service.ports):
            yield _published(service, port)
    taken = {(port.protocol, port.published) for service in running for port in service.ports} | OWN
    inside: dict[tuple[str, int], list[str]] = {}
    for service in running:
        for protocol, target in dict.fromkeys((port.protocol, port.target) for port in service.ports):
            inside.setdefault((protocol, target), []).append(service.name)
    for (protocol, target), names in inside.items():
        if (protocol, target) not in taken:
            because = (
                f"{target}/{protocol} is a port inside the tasks of {' and '.join(names)}, and nothing publishes it"
            )
            yield Expectation(
                kind=Kind.PUBLISH,
                expected=DENY,
                because=because,
                source=OUTSIDE,
                target=names[0],
                protocol=protocol,
                port=target,
                name=UNPUBLISHED,
            )
    yield Expectation(
        kind=Kind.PUBLISH,
        expected=DENY,
        because="a port that nothing publishes does not answer",
        source=OUTSIDE,
        protocol="tcp",
        name=UNUSED,
    )


def _published(service: Service, port: PublishedPort) -> Expectation:
    shown = f"{port.published or 'any'}:{port.target}/{port.protocol}"
    because = WHY[port.mode].format(who=service.name, what=shown)
    return Expectation(
        kind=Kind.PUBLISH,
        expected=ALLOW,
        because=because,
        source=OUTSIDE,
        target=service.name,
        protocol=port.protocol,
        port=port.published,
        name=port.mode,
        inside=port.target,
        place=service.place,
    )


def wrong(service: str, ports: Sequence[PublishedPort], protocol: str, port: int, expected: str) -> str:
    """Why an entry from outside cannot be meant so; "" when it can."""
    if not port:
        return "what is asked from outside is a port on the hosts: give `port:`"
    if expected == ALLOW and (protocol, port) not in {(p.protocol, p.published) for p in ports}:
        known = ", ".join(f"{p.published or 'any'}/{p.protocol}" for p in ports) or "nothing"
        return f"{service} does not publish {port}/{protocol}, so it cannot answer from outside; it publishes {known}"
    return ""


def laid_over(group: Sequence[Expectation], entry: Expectation) -> list[Expectation]:
    """The derived expectations about that port with an explicit one's answer and reason; it stands beside them if there
    is none.
    """
    meant = [e for e in group if (e.protocol, e.port) == (entry.protocol, entry.port)]
    if not meant:
        return [*group, replace(entry, name=EXPLICIT)]
    changed = {
        id(e): replace(e, expected=entry.expected, because=entry.because, derived=False, place=entry.place)
        for e in meant
    }
    return [changed.get(id(e), e) for e in group]
