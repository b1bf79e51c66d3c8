"""The wire from beginning to end: canaries over every overlay while all hosts capture their underlay."""

from __future__ import annotations

from swarmlab.model.kinds import Kind
from swarmlab.probes.stage import LabView, Results
from swarmlab.probes.wire.findings import wire_findings
from swarmlab.probes.wire.judge import judge_wire
from swarmlab.probes.wire.plan import wire_plan
from swarmlab.probes.wire.run import wire_measure


class Wire:
    """What the underlay shows of each overlay."""

    kinds = (Kind.WIRE,)
    settles = False

    def run(self, view: LabView, so_far: Results) -> Results:
        """See Stage. Hosts that traffic found dead are not asked."""
        if not any(e.kind in self.kinds for e in view.scenario.expectations):
            return Results()
        dead = so_far.facts.measurement.dead_hosts if so_far.facts else dict(view.dead)
        missing = so_far.facts.measurement.missing_features if so_far.facts else {}
        planned = wire_plan(view.scenario, view.endpoints, view.networks, view.addresses, data_port=view.data_port)
        alive = {host: link for host, link in view.agents.items() if host not in dead}
        found = wire_measure(
            planned, alive, timeout=view.timeout, missing_features=missing, dead=dead, pcap_bytes=view.pcap_bytes
        )
        checks = judge_wire(view.scenario, planned, found)
        return Results(checks=checks, findings=wire_findings(planned, found, checks), pcaps=found.pcaps)
