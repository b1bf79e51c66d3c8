"""Networks from beginning to end: engines were asked when the view was made, so that there is only to judge."""

from __future__ import annotations

from swarmlab.model.kinds import Kind
from swarmlab.probes.network.findings import findings
from swarmlab.probes.network.judge import network_checks
from swarmlab.probes.stage import LabView, Results


class Network:
    """Whether each host's engine has the networks that the file declares, as it declares them."""

    kinds = (Kind.NETWORK,)
    settles = True

    def run(self, view: LabView, so_far: Results) -> Results:
        """See Stage."""
        dead = so_far.facts.measurement.dead_hosts if so_far.facts else view.dead
        wanted = [e for e in view.scenario.expectations if e.kind in self.kinds]
        checks = tuple(c for e in wanted for c in network_checks(view, dead, e))
        return Results(checks=checks, findings=tuple(findings(checks)))
