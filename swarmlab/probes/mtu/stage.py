"""Sizes from beginning to end: plan, measure, judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from swarmlab.model.check import Check, Finding
from swarmlab.model.evidence import Measurement
from swarmlab.model.probe import Endpoint
from swarmlab.model.scenario import Scenario
from swarmlab.probes.mtu.findings import mtu_findings
from swarmlab.probes.mtu.judge import Sizes
from swarmlab.probes.mtu.plan import plan
from swarmlab.probes.mtu.run import measure_sizes
from swarmlab.probes.session.link import AgentLink


def sizes(
    scenario: Scenario,
    endpoints: Sequence[Endpoint],
    agents: Mapping[str, AgentLink],
    measured: Measurement,
    *,
    timeout: float,
) -> tuple[tuple[Check, ...], tuple[Finding, ...]]:
    """Checks and findings of kind mtu. `measured` tells who has been found dead before."""
    wanted = plan(scenario, endpoints, timeout=timeout, dead=measured.dead_endpoints)
    judged = Sizes(scenario, wanted, measure_sizes(wanted, agents, dead_hosts=measured.dead_hosts))
    checks = tuple(judged.checks())
    return checks, tuple(mtu_findings(judged, checks))
