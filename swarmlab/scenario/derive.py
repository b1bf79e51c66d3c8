"""What should hold, as it follows from the file's own networks. docs/scenario-format.md has these rules as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from swarmlab.model.expectation import Expectation, option
from swarmlab.model.kinds import ALLOW, DENY, Kind
from swarmlab.model.scenario import Container, LocalNetwork, Network, Service
from swarmlab.scenario.derive_mtu import sizes
from swarmlab.scenario.derive_publish import published
from swarmlab.scenario.derive_wire import wire
from swarmlab.scenario.names import PREDEFINED


@dataclass(frozen=True)
class Party:
    """A service or a standalone container. `overlays` and `locals` are its networks of scope swarm and local; `host`
    pins it.
    """

    name: str
    overlays: frozenset[str]
    locals: frozenset[str] = frozenset()
    host: str = ""
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_service: bool = False
    many: bool = False
    vip: bool = False
    predefined: bool = False

    @property
    def networks(self) -> list[str]:
        """All its networks, in a stable order."""
        return sorted(self.overlays | self.locals)

    def names_on(self, networks: frozenset[str]) -> list[str]:
        """The names by which it is known on these networks."""
        own = [self.name, f"tasks.{self.name}"] if self.is_service else [self.name]
        return list(dict.fromkeys([*own, *(alias for key in sorted(networks) for alias in self.aliases.get(key, ()))]))


@dataclass(frozen=True)
class Derivation:
    """The Compose part and the parts of `x-swarmlab`, ready to be asked what follows."""

    services: Mapping[str, Service]
    networks: Mapping[str, Network]
    local_networks: Mapping[str, LocalNetwork]
    containers: Mapping[str, Container]

    @cached_property
    def parties(self) -> tuple[Party, ...]:
        """Everyone who sends and is sent to; a service without tasks does neither."""
        return (
            *(self._service(service) for service in self.services.values() if service.replicas != 0),
            *(self._container(container) for container in self.containers.values()),
        )

    def _is_predefined(self, key: str) -> bool:
        return key in self.networks and self.networks[key].driver in PREDEFINED

    def _service(self, service: Service) -> Party:
        overlays = frozenset(key for key in service.networks if not self._is_predefined(key))
        return Party(
            service.name,
            overlays,
            aliases=service.networks,
            is_service=True,
            many=service.replicas is None or service.replicas > 1,
            vip=service.endpoint_mode == "vip",
            predefined=len(overlays) < len(service.networks),
        )

    def _container(self, container: Container) -> Party:
        local = frozenset(container.networks) & self.local_networks.keys()
        overlays = frozenset(key for key in container.networks if key not in local and not self._is_predefined(key))
        return Party(
            container.name, overlays, local, container.host, predefined=len(overlays | local) < len(container.networks)
        )

    def all(self) -> Iterator[Expectation]:
        """Every expectation, pairs first, in the order of the file."""
        for a in self.parties:
            for b in self.parties:
                if a is not b or a.many:
                    yield from self._reach(a, b)
                    yield from self._local(a, b)
                    yield from self._names(a, b)
                    yield from self._virtual(a, b)
        yield from self._properties()
        yield from published(self.services, self.networks)
        yield from sizes(self.services, self.networks, self.containers)
        yield from wire(self.services, self.networks, self.containers)
        yield from promises()

    def _reach(self, a: Party, b: Party) -> Iterator[Expectation]:
        for key in sorted(a.overlays & b.overlays):
            yield Expectation(
                kind=Kind.REACH, expected=ALLOW, because=_both(a, b, key), source=a.name, target=b.name, network=key
            )
        if a.overlays & b.overlays or a.predefined or b.predefined:
            return  # a task in its host's own namespace can reach more than the file says
        because = f"{a.name} and {b.name} share no network"
        if not a.locals & b.locals:
            yield Expectation(kind=Kind.REACH, expected=DENY, because=because, source=a.name, target=b.name)
            return
        for key in sorted(
            (b.overlays | b.locals) - a.locals
        ):  # on the local network that both name, `_local` says what holds
            yield Expectation(
                kind=Kind.REACH, expected=DENY, because=because, source=a.name, target=b.name, network=key
            )

    def _local(self, a: Party, b: Party) -> Iterator[Expectation]:
        for key in sorted(a.locals & b.locals):
            if a.host == b.host:
                because = f"{a.name} and {b.name} are both on {key} of {a.host}"
                yield Expectation(
                    kind=Kind.REACH, expected=ALLOW, because=because, source=a.name, target=b.name, network=key
                )
            else:
                two = f"{key} on {a.host} and {key} on {b.host} are two networks"
                because = f"a bridge is local to its host, whatever its name: {two}"
                yield Expectation(
                    kind=Kind.SCOPE, expected=DENY, because=because, source=a.name, target=b.name, network=key
                )

    def _names(self, a: Party, b: Party) -> Iterator[Expectation]:
        shared = self._meeting(a, b)
        if shared:
            together = " and ".join(sorted(shared))
            because = f"the tasks of {a.name} share {together}" if a is b else f"{a.name} and {b.name} share {together}"
            for name in b.names_on(shared):
                yield Expectation(
                    kind=Kind.NAME, expected=ALLOW, because=because, source=a.name, target=b.name, name=name
                )
        elif not (a.predefined or b.predefined):
            elsewhere = self._heard_by(a)
            for name in b.names_on(b.overlays | b.locals):
                if name not in elsewhere:
                    because = f"{a.name} and {b.name} share no network, and names are known on shared networks only"
                    yield Expectation(
                        kind=Kind.NAME, expected=DENY, because=because, source=a.name, target=b.name, name=name
                    )

    def _meeting(self, a: Party, b: Party) -> frozenset[str]:
        """The networks on which the two really are together."""
        return (a.overlays & b.overlays) | (a.locals & b.locals if a.host == b.host else frozenset())

    def _heard_by(self, a: Party) -> frozenset[str]:
        """Every name that `a` can get an answer for from someone it is together with."""
        return self._heard[a.name]

    @cached_property
    def _heard(self) -> dict[str, frozenset[str]]:
        return {a.name: frozenset(name for c in self.parties for name in self._names_for(a, c)) for a in self.parties}

    def _names_for(self, a: Party, c: Party) -> list[str]:
        shared = self._meeting(a, c)
        return c.names_on(shared) if shared else []

    def _virtual(self, a: Party, b: Party) -> Iterator[Expectation]:
        for key in sorted(a.overlays & b.overlays) if b.vip else ():
            because = f"{_both(a, b, key)}, and {b.name} has a virtual address there (endpoint_mode: vip)"
            yield Expectation(kind=Kind.VIP, expected=ALLOW, because=because, source=a.name, target=b.name, network=key)

    def _properties(self) -> Iterator[Expectation]:
        attached: list[Mapping[str, object]] = [s.networks for s in self.services.values()]
        used = {key for networks in (*attached, *(c.networks for c in self.containers.values())) for key in networks}
        for key, network in self.networks.items():
            if key not in used or network.driver in PREDEFINED:
                continue
            for name, expected, because in properties(network):
                yield Expectation(
                    kind=Kind.NETWORK, expected=expected, because=because, network=key, name=name, place=network.place
                )


def promises() -> Iterator[Expectation]:
    """What every lab is expected to show, whatever its file says."""
    for kind in Kind:
        if kind.row.promised:
            yield Expectation(kind=kind, expected=kind.row.promised, because=kind.row.because)


def _both(a: Party, b: Party, key: str) -> str:
    return f"the tasks of {a.name} share {key}" if a is b else f"{a.name} and {b.name} share {key}"


def properties(network: Network) -> Iterator[tuple[str, str, str]]:
    """What the engine should say about a network: property, value, why."""
    if network.external:
        external = f"services are on {network.key}, which is external"
        yield "scope", "swarm", f"{external}: only a network of scope swarm can carry them"
        return
    declared = f"the file declares {network.key} so" if network.place else "Compose's default network"
    yield "driver", network.driver, declared
    yield "scope", "swarm", f"services are on {network.key}, and only a network of scope swarm spans hosts"
    for name, held in (("internal", network.internal), ("attachable", network.attachable)):
        yield name, str(held).lower(), declared
    present = "present, and its presence decides" if network.encrypted else "not there"
    yield "encrypted", str(network.encrypted).lower(), f"the option `encrypted` is {present}"
    if network.subnets:
        yield "subnets", ",".join(network.subnets), declared
    for key, text in network.options.items():
        yield option(key), text, declared
