"""The parts of `x-swarmlab` that the lab itself makes: node-local networks and standalone containers."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from swarmlab.errors import Place
from swarmlab.model.scenario import Container, LocalNetwork, Network, Service
from swarmlab.scenario.block import AttachmentSpec, Block, ContainerSpec, LocalNetworkSpec
from swarmlab.scenario.complaints import Complaints, quoted, unknown
from swarmlab.scenario.names import PREDEFINED, STAND_IN_IMAGE
from swarmlab.scenario.networks import check_subnet
from swarmlab.scenario.tree import Node, place_at


@dataclass
class Parts:
    """Reads these parts and checks what they refer to; `node` is the block in the file, `hosts` the hosts' names."""

    block: Block
    node: Node | None
    complaints: Complaints
    services: Mapping[str, Service]
    networks: Mapping[str, Network]
    hosts: tuple[str, ...]

    def place(self, *path: str | int) -> Place | None:
        """A place in the block."""
        return place_at(self.node, *path)

    def check_managers(self) -> None:
        """Complain if there are more managers than hosts."""
        if self.block.managers > self.block.hosts:
            text = f"{self.block.managers} managers need as many hosts, but there are {self.block.hosts}"
            self.complaints.add(self.place("managers"), f"x-swarmlab.managers: {text}")

    def local_networks(self) -> dict[str, LocalNetwork]:
        """Every node-local network by its name."""
        return {name: self._local(name, spec or LocalNetworkSpec()) for name, spec in self.block.local_networks.items()}

    def _local(self, name: str, spec: LocalNetworkSpec) -> LocalNetwork:
        where = f"x-swarmlab.local_networks.{name}"
        path = ("local_networks", name)
        if name in self.networks or name in PREDEFINED:
            self.complaints.add(self.place(*path), f"{where}: there is a network of that name already; choose another")
        for index, host in enumerate(spec.hosts):
            self._check_host(host, where, self.place(*path, "hosts", index))
        if spec.subnet:
            check_subnet(spec.subnet, self.place(*path, "subnet"), where, self.complaints)
        hosts = tuple(dict.fromkeys(spec.hosts)) or self.hosts
        return LocalNetwork(name, hosts, spec.driver, spec.subnet, spec.internal, self.place(*path))

    def _check_host(self, host: str, where: str, place: Place | None) -> None:
        if host not in self.hosts:
            self.complaints.add(place, f"{where}: " + unknown("host", host, self.hosts, "`hosts:` makes"))

    def containers(self, local: Mapping[str, LocalNetwork], *, stand_in: bool) -> dict[str, Container]:
        """Every standalone container by its name."""
        found: dict[str, Container] = {}
        for name, spec in self.block.containers.items():
            where, place = f"x-swarmlab.containers.{name}", self.place("containers", name)
            if name in self.services:
                self.complaints.add(place, f"{where}: there is a service of that name already; choose another")
            self._check_host(spec.host, where, self.place("containers", name, "host"))
            networks = {key: self._attach(name, spec, key, given, local) for key, given in spec.networks.items()}
            image, command = (STAND_IN_IMAGE, ()) if stand_in else (spec.image, tuple(spec.command))
            found[name] = Container(name, spec.host, image, networks, command, place)
        self._check_twice(found, local)
        return found

    def _attach(
        self, name: str, spec: ContainerSpec, key: str, given: AttachmentSpec | None, local: Mapping[str, LocalNetwork]
    ) -> str:
        """The address wanted on a network, after checking both."""
        where, place = f"x-swarmlab.containers.{name}", self.place("containers", name, "networks", key)
        if key in local:
            subnets: tuple[str, ...] = (local[key].subnet,) if local[key].subnet else ()
            if spec.host in self.hosts and spec.host not in local[key].hosts:
                self.complaints.add(
                    place,
                    f"{where}: the network {key} is not made on {spec.host}, only on {', '.join(local[key].hosts)}",
                )
        elif key in self.networks:
            subnets = self.networks[key].subnets
            self._check_overlay(where, place, self.networks[key])
        else:
            self.complaints.add(place, f"{where}: " + unknown("network", key, [*local, *self.networks]))
            return ""
        address = given.address if given else ""
        if address:
            self._check_address(address, subnets, where, self.place("containers", name, "networks", key, "address"))
        return address

    def _check_overlay(self, where: str, place: Place | None, network: Network) -> None:
        if network.external:
            return
        if not network.attachable:
            text = "is not attachable, so no standalone container can join it; give it `attachable: true`"
            self.complaints.add(place, f"{where}: the network {network.key} {text}")
        elif all(network.key not in service.networks for service in self.services.values()):
            text = "so `docker stack deploy` does not create it; attach a service to it"
            self.complaints.add(place, f"{where}: no service is on the network {network.key}, {text}")

    def _check_address(self, address: str, subnets: tuple[str, ...], where: str, place: Place | None) -> None:
        try:
            parsed = ipaddress.ip_address(address)
            inside = any(parsed in ipaddress.ip_network(subnet, strict=False) for subnet in subnets)
        except ValueError:
            self.complaints.add(place, f"{where}: {quoted(address)} is not an IP address")
            return
        if not inside:
            outside = f"it is not in {', '.join(subnets)}"
            why = outside if subnets else "a fixed address needs a network with a declared subnet"
            self.complaints.add(place, f"{where}: the address {address} is not possible: {why}")

    def _check_twice(self, containers: Mapping[str, Container], local: Mapping[str, LocalNetwork]) -> None:
        """Complain about one address for two containers of a network (on one host, where the network is local)."""
        owners: dict[tuple[str, str, str], str] = {}
        for container in containers.values():
            for key, address in container.networks.items():
                spot = (key, container.host if key in local else "", address)
                if address and spot in owners:
                    place = self.place("containers", container.name, "networks", key, "address")
                    where = f"x-swarmlab.containers.{container.name}"
                    self.complaints.add(place, f"{where}: {owners[spot]} has the address {address} already")
                owners[spot] = container.name
