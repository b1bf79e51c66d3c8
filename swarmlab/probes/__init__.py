"""What to measure (plan), how it is measured (run), and what follows (judge, findings). Only run speaks to agents."""

from swarmlab.probes.coverage import uncovered_pairs
from swarmlab.probes.mtu.stage import sizes
from swarmlab.probes.publish.stage import ExternalClient, Lab, swarm_semantics
from swarmlab.probes.session.link import SessionLink
from swarmlab.probes.session.round import measure
from swarmlab.probes.session.survey import survey
from swarmlab.probes.traffic.findings import findings
from swarmlab.probes.traffic.judge import judge
from swarmlab.probes.traffic.plan import plan
from swarmlab.probes.wire.findings import wire_findings
from swarmlab.probes.wire.judge import judge_wire
from swarmlab.probes.wire.plan import DATA_PORT, wire_plan
from swarmlab.probes.wire.run import wire_measure

__all__ = [
    "DATA_PORT",
    "ExternalClient",
    "Lab",
    "SessionLink",
    "findings",
    "judge",
    "judge_wire",
    "measure",
    "plan",
    "sizes",
    "survey",
    "swarm_semantics",
    "uncovered_pairs",
    "wire_findings",
    "wire_measure",
    "wire_plan",
]
