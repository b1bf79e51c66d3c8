"""Clocks from beginning to end: ask, judge."""

from __future__ import annotations

from swarmlab.model.kinds import Kind
from swarmlab.probes.clock.findings import findings
from swarmlab.probes.clock.judge import clock_checks
from swarmlab.probes.clock.run import read_clocks
from swarmlab.probes.stage import LabView, Results


class Clock:
    """Whether the hosts' clocks agree."""

    kinds = (Kind.CLOCK,)
    settles = False

    def run(self, view: LabView, so_far: Results) -> Results:
        """See Stage. Hosts that traffic found dead are not asked."""
        wanted = [e for e in view.scenario.expectations if e.kind in self.kinds]
        if not wanted:
            return Results()
        dead = so_far.facts.measurement.dead_hosts if so_far.facts else view.dead
        readings = read_clocks(view.agents, dead)
        checks = tuple(check for e in wanted for check in clock_checks(readings, e))
        return Results(checks=checks, findings=tuple(findings(checks)))
