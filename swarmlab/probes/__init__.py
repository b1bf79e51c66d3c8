"""What to measure, how it is measured, and what follows: one room for each stage of a proof, and what they share."""

from swarmlab.probes.coverage import uncovered_pairs
from swarmlab.probes.session.external_client import ExternalClient
from swarmlab.probes.session.link import SessionLink
from swarmlab.probes.session.survey import survey
from swarmlab.probes.stage import DATA_PORT, LabView, Results
from swarmlab.probes.stages import STAGES

__all__ = ["DATA_PORT", "STAGES", "ExternalClient", "LabView", "Results", "SessionLink", "survey", "uncovered_pairs"]
