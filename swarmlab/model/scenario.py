"""A scenario: a Compose file, what should hold in it, and the lesson."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from swarmlab.errors import Place
from swarmlab.model.expectation import Expectation
from swarmlab.model.host import numbered

GATEWAY_BRIDGE = "docker_gwbridge"  # the engine's own bridge on each host, by which tasks reach the world

# Modes of a published port. Swarm's own network, on which all services with the first one meet, has its name.
INGRESS, HOST = "ingress", "host"


@dataclass(frozen=True)
class Network:
    """A network as the file declares it. `key` is its name in the file; `name` what the engine will call it ("" :
    STACK_key).
    """

    key: str
    name: str = ""
    driver: str = "overlay"
    internal: bool = False
    attachable: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    subnets: tuple[str, ...] = ()
    external: bool = False
    place: Place | None = None

    def deployed_as(self, stack: str) -> str:
        """The engine's name for it.

        >>> Network("back").deployed_as("shop")
        'shop_back'
        """
        return self.name or (self.key if self.external else f"{stack}_{self.key}")

    @property
    def encrypted(self) -> bool:
        """As the engine decides it: by the presence of the key, whatever its value."""
        return "encrypted" in self.options


@dataclass(frozen=True)
class PublishedPort:
    """A port that a service publishes; `mode` is ingress or host, `published` 0 when the engine picks it."""

    target: int
    published: int
    protocol: str
    mode: str


@dataclass(frozen=True)
class Service:
    """A service of the stack. `networks` maps network keys to the aliases that it has there."""

    name: str
    image: str
    networks: Mapping[str, tuple[str, ...]]
    replicas: int | None = 1
    endpoint_mode: str = "vip"
    ports: tuple[PublishedPort, ...] = ()
    place: Place | None = None

    @property
    def is_global(self) -> bool:
        """One task on each host that fits: no number of replicas."""
        return self.replicas is None


@dataclass(frozen=True)
class LocalNetwork:
    """A network that is made by itself on each of `hosts`: the same name, yet one network per host."""

    name: str
    hosts: tuple[str, ...]
    driver: str = "bridge"
    subnet: str = ""
    internal: bool = False
    place: Place | None = None


@dataclass(frozen=True)
class Container:
    """A standalone container pinned to a host. `networks` maps local or attachable networks to a fixed address or
    "".
    """

    name: str
    host: str
    image: str
    networks: Mapping[str, str]
    command: tuple[str, ...] = ()
    place: Place | None = None


@dataclass(frozen=True)
class Scenario:
    """Everything that a run needs to know; `compose` is the text handed to `docker stack deploy` (no `x-swarmlab` in
    it).
    """

    name: str
    file: Path
    compose: str
    services: Mapping[str, Service]
    networks: Mapping[str, Network]
    local_networks: Mapping[str, LocalNetwork] = field(default_factory=dict)
    containers: Mapping[str, Container] = field(default_factory=dict)
    expectations: tuple[Expectation, ...] = ()
    hosts: int = 3
    managers: int = 1
    title: str = ""
    summary: str = ""
    level: str = ""
    concepts: tuple[str, ...] = ()
    questions: tuple[tuple[str, str], ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def images(self) -> tuple[str, ...]:
        """Every image that a host may need, each once, sorted."""
        return tuple(sorted({s.image for s in self.services.values()} | {c.image for c in self.containers.values()}))

    def on(self, names: Sequence[str]) -> Scenario:
        """The scenario on hosts of these names: what its file calls `host1` is the first of them, and so on."""
        called = dict(zip(numbered(len(names)), names, strict=True))
        local = {
            key: replace(network, hosts=tuple(called.get(host, host) for host in network.hosts))
            for key, network in self.local_networks.items()
        }
        containers = {
            key: replace(container, host=called.get(container.host, container.host))
            for key, container in self.containers.items()
        }
        return replace(self, local_networks=local, containers=containers)

    def networks_of(self, name: str) -> frozenset[str]:
        """The networks that a service or standalone container is on."""
        owner = self.services.get(name) or self.containers.get(name)
        return frozenset(owner.networks) if owner else frozenset()
