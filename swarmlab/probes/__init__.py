"""What to measure (plan), how it is measured (run), and what follows (judge, findings). Only run speaks to agents."""

from swarmlab.probes.coverage import uncovered_pairs
from swarmlab.probes.findings import findings
from swarmlab.probes.judge import judge
from swarmlab.probes.judge_wire import judge_wire
from swarmlab.probes.link import SessionLink
from swarmlab.probes.mtu import sizes
from swarmlab.probes.plan import plan
from swarmlab.probes.run import measure
from swarmlab.probes.semantics import Lab, Vantage, swarm_semantics
from swarmlab.probes.survey import survey
from swarmlab.probes.wire_findings import wire_findings
from swarmlab.probes.wire_plan import DATA_PORT, wire_plan
from swarmlab.probes.wire_run import wire_measure

__all__ = [
    "DATA_PORT",
    "Lab",
    "SessionLink",
    "Vantage",
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
