"""Warnings: what engines accept, yet does probably not do what its author thinks. Each rule is a function in RULES."""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Callable, Iterator
from itertools import combinations

import yaml

from swarmlab.errors import Place
from swarmlab.model.scenario import Scenario
from swarmlab.scenario.complaints import quoted
from swarmlab.scenario.names import PREDEFINED

Warning_ = tuple[Place | None, str]
FALSY = frozenset({"false", "no", "off", "0"})
# What `docker stack deploy` ignores, or looks for on the manager, where this file's directory is not.
IGNORED = {
    "network_mode": "Swarm ignores it; use `networks:`",
    "container_name": "Swarm ignores it: tasks are named by their service",
    "depends_on": "Swarm ignores the order; services start together",
    "links": "Swarm ignores it; a shared network is enough",
    "restart": "Swarm ignores it; use `deploy: restart_policy:`",
    "env_file": "the file is looked for on the manager, and swarmlab does not carry it there",
    "build": "Swarm does not build; the image must exist",
}


def lint(scenario: Scenario) -> list[Warning_]:
    """All warnings, in the order of the file."""
    found = [warning for rule in RULES for warning in rule(scenario)]
    return sorted(found, key=lambda item: (item[0] is not None, item[0] or Place("", 0, 0), item[1]))


def encryption(scenario: Scenario) -> Iterator[Warning_]:
    """The option's presence decides, not its value; and a misspelt one is silently ignored."""
    for network in scenario.networks.values():
        for key, text in network.options.items():
            if key == "encrypted" and text.strip().lower() in FALSY:
                yield (
                    network.place,
                    f'network {network.key}: `encrypted: "{text}"` encrypts all the same: its presence decides; remove it',
                )
            elif key != "encrypted" and _like_encrypted(key):
                text = f"the option {quoted(key)} does nothing, the wire stays in clear; did you mean `encrypted`?"
                yield network.place, f"network {network.key}: {text}"


def _like_encrypted(key: str) -> bool:
    return bool(difflib.get_close_matches(key.lower(), ["encrypted", "encrypt", "encryption", "secure"], cutoff=0.8))


def unused(scenario: Scenario) -> Iterator[Warning_]:
    """`docker stack deploy` creates only the networks that a service uses."""
    used = {key for name in (*scenario.services, *scenario.containers) for key in scenario.networks_of(name)}
    for network in scenario.networks.values():
        if network.key not in used:
            yield network.place, f"network {network.key}: nobody uses it, so it is not created and nothing is checked"
    for local in scenario.local_networks.values():
        if local.name not in used:
            yield local.place, f"local network {local.name}: no container is on it"


def overlaps(scenario: Scenario) -> Iterator[Warning_]:
    """Two networks of one Swarm with a common range: tasks on both cannot tell them apart."""
    declared = [(n, s) for n in scenario.networks.values() if not n.external for s in n.subnets]
    for (first, a), (second, b) in combinations(declared, 2):
        one, other = ipaddress.ip_network(a), ipaddress.ip_network(b)
        if one.version == other.version and one.overlaps(other):
            yield second.place, f"network {second.key}: its subnet {b} overlaps with {a} of {first.key}"


def published(scenario: Scenario) -> Iterator[Warning_]:
    """A port of a host can be had once."""
    owners: dict[tuple[int, str], str] = {}
    for service in scenario.services.values():
        for port in service.ports:
            key = (port.published, port.protocol)
            if port.published and key in owners:
                yield (
                    service.place,
                    f"service {service.name}: port {port.published}/{port.protocol} is published by {owners[key]} already",
                )
            owners.setdefault(key, service.name)


def published_inside(scenario: Scenario) -> Iterator[Warning_]:
    """A host-mode port needs the gateway bridge, which tasks on internal networks only do not have."""
    for service in scenario.services.values():
        known = [scenario.networks[key] for key in service.networks if key in scenario.networks]
        if service.ports and known and all(network.internal for network in known):
            yield service.place, f"service {service.name}: it publishes ports, but all its networks are internal"


def dnsrr_ingress(scenario: Scenario) -> Iterator[Warning_]:
    """The routing mesh balances over virtual addresses, so the engine refuses it without one."""
    for service in scenario.services.values():
        if service.endpoint_mode == "dnsrr" and any(port.mode == "ingress" for port in service.ports):
            text = "ports in ingress mode need `endpoint_mode: vip`; engines refuse them with dnsrr. Use `mode: host`"
            yield service.place, f"service {service.name}: {text}"


def attachable(scenario: Scenario) -> Iterator[Warning_]:
    """Whoever can start a container on a node can join."""
    joined = {key for container in scenario.containers.values() for key in container.networks}
    for network in scenario.networks.values():
        if network.attachable and not network.external and network.key not in joined:
            text = "attachable lets any container on any node join it, and no container of this file does"
            yield network.place, f"network {network.key}: {text}"


def aliases(scenario: Scenario) -> Iterator[Warning_]:
    """One name for two services: the answer is one or the other, or both."""
    owners: dict[tuple[str, str], str] = {}
    for service in scenario.services.values():
        for key, names in service.networks.items():
            for name in {service.name, *names}:
                if owners.setdefault((key, name), service.name) != service.name:
                    yield (
                        service.place,
                        f"service {service.name}: the name {quoted(name)} on {key} belongs to {owners[(key, name)]} as well",
                    )


def nothing_to_prove(scenario: Scenario) -> Iterator[Warning_]:
    """Services that no check will cover."""
    for service in scenario.services.values():
        if service.replicas == 0:
            yield service.place, f"service {service.name}: it has no tasks (replicas: 0), so nothing is checked for it"
        elif any(key in scenario.networks and scenario.networks[key].driver in PREDEFINED for key in service.networks):
            yield (
                service.place,
                f"service {service.name}: it is on its host's own network, so what it cannot reach is not checked",
            )


def ignored(scenario: Scenario) -> Iterator[Warning_]:
    """Keys that mean something to `docker compose` only."""
    document = yaml.safe_load(scenario.compose)
    services = document.get("services") if isinstance(document, dict) else None
    for name, keys in services.items() if isinstance(services, dict) else ():
        service = scenario.services.get(str(name))
        for key in sorted(IGNORED.keys() & keys.keys()) if isinstance(keys, dict) else ():
            yield service.place if service else None, f"service {name}: {key}: {IGNORED[key]}"


def carried(scenario: Scenario) -> Iterator[Warning_]:
    """Secrets and configs out of files: `docker stack deploy` runs on the manager, and refuses the stack without
    them.
    """
    document = yaml.safe_load(scenario.compose)
    for section in ("secrets", "configs"):
        entries = document.get(section) if isinstance(document, dict) else None
        for name, keys in entries.items() if isinstance(entries, dict) else ():
            if isinstance(keys, dict) and "file" in keys:
                yield None, f"{section}: {name}: {IGNORED['env_file']}; use --stand-in, which needs none"


RULES: tuple[Callable[[Scenario], Iterator[Warning_]], ...] = (
    encryption, unused, overlaps, published, published_inside, dnsrr_ingress, attachable, aliases, nothing_to_prove, ignored, carried,
)  # fmt: skip
