"""Traffic from beginning to end: one round of probes and name questions for all kinds that it answers for."""

from __future__ import annotations

from swarmlab.events import PhaseProgress
from swarmlab.model.kinds import Kind
from swarmlab.probes.session.round import measure
from swarmlab.probes.stage import LabView, Results
from swarmlab.probes.traffic.facts import Facts
from swarmlab.probes.traffic.findings import findings
from swarmlab.probes.traffic.judge import judge
from swarmlab.probes.traffic.plan import plan


class Traffic:
    """Who reaches whom, by which address, and who resolves which name. Others build on what it measured."""

    kinds = (Kind.REACH, Kind.SCOPE, Kind.VIP, Kind.NAME)
    settles = True

    def run(self, view: LabView, so_far: Results) -> Results:
        """See Stage. Also says which hosts and endpoints are dead, and what the kernels lack."""
        planned = plan(view.scenario, view.endpoints, vips=view.vips, timeout=view.timeout)
        size = f"{len(planned.probes)} probes and {len(planned.names)} questions"
        view.bus.emit(PhaseProgress("proof", f"{size} between {len(planned.endpoints)} endpoints"))
        measured = measure(planned, view.agents, dead_hosts=view.dead, bus=view.bus)
        facts = Facts(view.scenario, planned, measured)
        checks = judge(facts)
        return Results(checks=checks, findings=findings(facts, checks), facts=facts)
