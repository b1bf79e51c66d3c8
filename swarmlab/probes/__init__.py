"""What to measure (plan), how it is measured (run), and what follows (judge, findings). Only run speaks to agents."""

from swarmlab.probes.coverage import uncovered_pairs
from swarmlab.probes.findings import findings
from swarmlab.probes.judge import judge
from swarmlab.probes.link import SessionLink
from swarmlab.probes.mtu import sizes
from swarmlab.probes.plan import plan
from swarmlab.probes.run import measure
from swarmlab.probes.semantics import Lab, Vantage, swarm_semantics
from swarmlab.probes.survey import survey

__all__ = [
    "Lab", "SessionLink", "Vantage", "findings", "judge", "measure", "plan", "sizes", "survey", "swarm_semantics", "uncovered_pairs",
]  # fmt: skip
