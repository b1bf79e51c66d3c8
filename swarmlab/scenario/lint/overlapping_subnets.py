"""Two networks of one Swarm with addresses in common: a task on both cannot tell which one an address is on."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from itertools import combinations

from swarmlab.model.scenario import Scenario
from swarmlab.scenario.lint.rule import Warning_


def overlapping_subnets(scenario: Scenario) -> Iterator[Warning_]:
    """Warn about every two declared subnets that overlap."""
    declared = [(n, s) for n in scenario.networks.values() if not n.external for s in n.subnets]
    for (first, a), (second, b) in combinations(declared, 2):
        one, other = ipaddress.ip_network(a), ipaddress.ip_network(b)
        if one.version == other.version and one.overlaps(other):
            yield second.place, f"network {second.key}: its subnet {b} overlaps with {a} of {first.key}"
