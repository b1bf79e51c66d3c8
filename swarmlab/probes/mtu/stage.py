"""Sizes from beginning to end: plan, measure, judge."""

from __future__ import annotations

from swarmlab.model.kinds import Kind
from swarmlab.probes.mtu.facts import Sizes
from swarmlab.probes.mtu.findings import mtu_findings
from swarmlab.probes.mtu.judge import size_checks
from swarmlab.probes.mtu.plan import plan
from swarmlab.probes.mtu.run import measure_sizes
from swarmlab.probes.stage import LabView, Results


class Mtu:
    """Whether full-size packets pass every overlay in one piece, and transfers complete."""

    kinds = (Kind.MTU,)
    settles = False

    def run(self, view: LabView, so_far: Results) -> Results:
        """See Stage. Endpoints and hosts that traffic found dead are not asked."""
        dead_endpoints = so_far.facts.measurement.dead_endpoints if so_far.facts else {}
        dead_hosts = so_far.facts.measurement.dead_hosts if so_far.facts else view.dead
        planned = plan(view.scenario, view.endpoints, timeout=view.timeout, dead=dead_endpoints)
        sizes = Sizes(view.scenario, planned, measure_sizes(planned, view.agents, dead_hosts=dead_hosts))
        checks = tuple(size_checks(sizes))
        return Results(checks=checks, findings=tuple(mtu_findings(sizes, checks)))
