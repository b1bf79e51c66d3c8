"""Which canaries have to pass: over every overlay, between every ordered pair of hosts that carries it, and plain ones
beside them.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations

from swarmlab.model.evidence import NetworkEvidence
from swarmlab.model.expectation import Expectation, option
from swarmlab.model.kinds import ENCRYPTED, Kind
from swarmlab.model.probe import Endpoint
from swarmlab.model.scenario import Scenario
from swarmlab.model.wire import TunnelPath, WirePlan
from swarmlab.probes.session.endpoints import WORKLOADS, on_network
from swarmlab.probes.session.ports import free_port
from swarmlab.probes.stage import DATA_PORT

VNIS = option("com.docker.network.driver.overlay.vxlanid_list")


def wire_plan(
    scenario: Scenario,
    endpoints: Sequence[Endpoint],
    networks: Iterable[NetworkEvidence],
    addresses: Mapping[str, str],
    *,
    data_port: int = DATA_PORT,
) -> WirePlan:
    """`networks` is what engines say of them, the lab's control overlay among them; `addresses` the hosts' own."""
    known = {n.network: n.properties for n in networks if n.found}
    expected = {e.network: e for e in scenario.expectations if e.kind is Kind.WIRE}
    tag = f"swlb{secrets.token_hex(4)}"
    directions = [*_directions(expected, endpoints, WORKLOADS), *_controls(scenario, expected, known, endpoints)]
    paths = tuple(
        _tunnel_path(f"c{i}", tag, direction, known.get(direction[0], {}), scenario, expected.get(direction[0]))
        for i, direction in enumerate(directions)
    )
    return WirePlan(tag, free_port(set()), data_port, paths, dict(addresses))


Direction = tuple[str, Endpoint, Endpoint]  # network, sender, target


def _directions(networks: Iterable[str], endpoints: Sequence[Endpoint], roles: Sequence[str]) -> Iterator[Direction]:
    for network in networks:
        carriers = carriers_of(network, endpoints, roles)
        for a, b in permutations(sorted(carriers), 2):
            yield network, carriers[a], carriers[b]


def carriers_of(network: str, endpoints: Sequence[Endpoint], roles: Sequence[str] = WORKLOADS) -> dict[str, Endpoint]:
    """Host -> one of its endpoints on that network, a sound one if there is any."""
    found: dict[str, Endpoint] = {}
    for endpoint in sorted(endpoints, key=lambda e: (bool(e.impaired), e.id)):
        if endpoint.role in roles and endpoint.pid and on_network(endpoint, network):
            found.setdefault(endpoint.host, endpoint)
    return found


def _controls(
    scenario: Scenario,
    expected: Mapping[str, Expectation],
    known: Mapping[str, Mapping[str, str]],
    endpoints: Sequence[Endpoint],
) -> Iterator[Direction]:
    """Plain overlays of which nothing is expected; the lab's own where it has one."""
    plain = [key for key, properties in known.items() if key not in expected and properties.get("encrypted") == "false"]
    yield from _directions([key for key in plain if key in scenario.networks], endpoints, WORKLOADS)
    yield from _directions([key for key in plain if key not in scenario.networks], endpoints, ("control",))


def _tunnel_path(
    name: str,
    tag: str,
    direction: Direction,
    properties: Mapping[str, str],
    scenario: Scenario,
    expectation: Expectation | None,
) -> TunnelPath:
    network, source, target = direction
    declared = scenario.networks.get(network)
    encrypted = (
        properties["encrypted"] == "true" if "encrypted" in properties else declared is not None and declared.encrypted
    )
    vnis = frozenset(int(text) for text in properties.get(VNIS, "").split(",") if text.strip().isdigit())
    return TunnelPath(
        name=name,
        network=network,
        vnis=vnis,
        plain=not encrypted,
        source=source,
        target=target,
        from_address=on_network(source, network)[0].address,
        to_address=on_network(target, network)[0].address,
        canary=tag + secrets.token_hex(8),
        forged=tag + secrets.token_hex(8),
        expectation=expectation,
    )


def unwitnessed_pairs(scenario: Scenario, endpoints: Sequence[Endpoint]) -> set[frozenset[str]]:
    """Pairs of hosts that carry an overlay which should be encrypted, and no plain one that could show that a capture
    works.
    """
    secret = {e.network for e in scenario.expectations if e.kind is Kind.WIRE and e.expected == ENCRYPTED}
    plain = {key for key, network in scenario.networks.items() if network.driver == "overlay" and not network.encrypted}
    pairs = {
        kind: {frozenset((a.host, b.host)) for _, a, b in _directions(keys, endpoints, WORKLOADS)}
        for kind, keys in (("secret", secret), ("plain", plain - secret))
    }
    return pairs["secret"] - pairs["plain"]
