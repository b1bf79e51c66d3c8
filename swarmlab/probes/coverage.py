"""Whether a scenario's own pairs show that every pair of hosts carries traffic, or whether the lab needs a control for
that.
"""

from __future__ import annotations

from collections.abc import Sequence

from swarmlab.model.kinds import ALLOW, DENY
from swarmlab.model.probe import Endpoint
from swarmlab.model.scenario import Scenario
from swarmlab.probes.session.endpoints import EndpointIndex
from swarmlab.probes.traffic.expand import TRAFFIC, exchanges
from swarmlab.probes.wire.plan import unwitnessed_pairs

HostPair = frozenset[str]


def uncovered_pairs(scenario: Scenario, endpoints: Sequence[Endpoint]) -> set[HostPair]:
    """Pairs of hosts that some deny crosses and over which no allow of the scenario passes on an overlay; or only
    encrypted ones.
    """
    index = EndpointIndex(scenario, endpoints)
    overlays = {key for key, network in scenario.networks.items() if network.driver == "overlay"}
    crossed: set[HostPair] = set()
    covered: set[HostPair] = set()
    for expectation in scenario.expectations:
        if expectation.kind not in TRAFFIC:
            continue
        for exchange in exchanges(expectation, index, {}):
            ends = [index.by_id.get(exchange.source), index.by_id.get(exchange.target)]
            pair = frozenset(end.host for end in ends if end is not None)
            if len(pair) == 2 and expectation.expected == DENY:
                crossed.add(pair)
            elif len(pair) == 2 and expectation.expected == ALLOW and exchange.network in overlays:
                covered.add(pair)
    return (crossed - covered) | unwitnessed_pairs(scenario, endpoints)
