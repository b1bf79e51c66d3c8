"""Hosts as containers on the local Docker Engine, as kind and k3d do it: each with its own dockerd and sshd."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network

import docker

from swarmlab.events import Bus
from swarmlab.model.host import OUTSIDE, Host, SshEndpoint, numbered
from swarmlab.providers import underlay
from swarmlab.providers.base import Asking, Availability, Greeting, HostsWanted, Problem
from swarmlab.providers.docker import image
from swarmlab.providers.docker.container import HOME, HOST, LAB, ContainerHost
from swarmlab.providers.docker.features import features
from swarmlab.providers.docker.local_engine import asked, engine, problems
from swarmlab.providers.docker.provisioning import (
    Thing,
    kind,
    refuse_other_homes,
    refuse_strangers,
    remove,
    running,
    underlay_network,
)
from swarmlab.providers.docker.readiness import wait_ready
from swarmlab.providers.images import recipe
from swarmlab.providers.lab_keys import LabKeys, lab_keys
from swarmlab.remote import fan_out


class DockerProvider:
    """Container hosts. What it made is found by label only; state files are never needed to remove it."""

    name = "docker"
    most = underlay.ROOM

    def __init__(self) -> None:
        self._client: docker.DockerClient | None = None

    @property
    def client(self) -> docker.DockerClient:
        """The engine, reached when first needed."""
        if self._client is None:
            self._client = engine()
        return self._client

    def host_names(self, count: int) -> tuple[str, ...]:
        """host1, host2, …"""
        return numbered(count)

    def software(self, engine: str, kernel: str, hosts: Sequence[str]) -> dict[str, dict[str, str]]:
        """Each host's engine; of kernels there is one."""
        return {host: {"engine": version} for host, version in recipe.engines(engine, hosts).items()}

    def fitness(self) -> list[Problem]:
        """Why container hosts cannot work here."""
        return problems()

    def features(self, asking: Asking | None) -> Mapping[str, Availability]:
        """What the engine's own kernel has."""
        return features(asking)

    def prepare(self, wanted: HostsWanted, bus: Bus) -> None:
        """Build the node images that are missing."""
        for version in sorted(set(recipe.engines(wanted.engine, wanted.names).values())):
            with asked(f"build the node image of engine {version}"):
                image.ensure(self.client, recipe.recipe(version), wanted.directory, bus)

    def create(self, wanted: HostsWanted, bus: Bus, greet: Greeting) -> list[Host]:
        """Have the hosts run and answer."""
        underlay.refuse_no_room(wanted)
        with asked("look for what is there already"):
            refuse_strangers(self.client, wanted)
        self.prepare(wanted, bus)
        with bus.phase("hosts", f"{len(wanted.names)} containers") as phase:
            keys = lab_keys(wanted.directory, wanted.machines)
            subnet = underlay_network(self.client, wanted)
            phase(f"underlay {subnet}")
            versions = recipe.engines(wanted.engine, wanted.names)
            versions[OUTSIDE] = versions[wanted.names[0]]
            containers = {name: _container(wanted, name, versions[name], subnet) for name in wanted.machines}
            ports = fan_out(containers, lambda one: running(self.client, one, keys))
            keys.pin(ports)
            phase("waiting for sshd and dockerd", 0, len(wanted.names))
            hosts = [_host(containers[name], ports[name], keys) for name in wanted.machines]
            fan_out(hosts, lambda host: wait_ready(self.client, containers[host.name].name, host, greet))
            phase("sshd and dockerd answer", len(wanted.names), len(wanted.names))
        return hosts

    def destroy(self, lab: str, home: str) -> list[str]:
        """Kill and remove the lab's containers in parallel, then its volumes and network."""
        only: dict[str, str | list[str] | bool] = {"label": [f"{LAB}={lab}", f"{HOME}={home}"]}
        removed: list[str] = []
        with asked(f"remove lab {lab}"):
            containers: list[Thing] = [*self.client.containers.list(all=True, filters=only, ignore_removed=True)]
            rest: list[Thing] = [*self.client.volumes.list(filters=only), *self.client.networks.list(filters=only)]
            for things in (containers, rest):  # a volume or a network goes only when no container holds it
                found = {f"{kind(thing)} {thing.name}": thing for thing in things}
                fan_out(found, remove)
                removed += found
            if not removed:
                refuse_other_homes(self.client, lab, home)
        return removed

    def found(self, home: str) -> dict[str, list[str]]:
        """Labs by label; a lab of which only a network or a volume is left has no hosts, but is found all the same."""
        ours: dict[str, str | list[str] | bool] = {"label": [LAB, f"{HOME}={home}"]}
        with asked("list the labs"):
            hosts = self.client.containers.list(all=True, filters=ours, ignore_removed=True)
            others = [*self.client.networks.list(filters=ours), *self.client.volumes.list(filters=ours)]
        labs: dict[str, set[str]] = {(one.attrs["Labels"] or {})[LAB]: set() for one in others}
        for host in hosts:
            labs.setdefault(host.labels[LAB], set()).add(host.labels.get(HOST, str(host.name)))
        return {lab: sorted(names) for lab, names in sorted(labs.items())}


def _container(wanted: HostsWanted, name: str, version: str, subnet: IPv4Network) -> ContainerHost:
    address = str(underlay.address_of(subnet, wanted.number_of(name)))
    tag, network = recipe.recipe(version).tag, f"swarmlab-{wanted.lab}"
    return ContainerHost(wanted.lab, name, wanted.home, tag, version, network, address)


def _host(one: ContainerHost, port: int, keys: LabKeys) -> Host:
    return Host(one.host, one.address, SshEndpoint("127.0.0.1", port, "root", keys.identity, keys.known_hosts))
