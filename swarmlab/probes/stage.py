"""What a stage of a proof is, what it is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from swarmlab.events import Bus
from swarmlab.model.check import Check, Finding
from swarmlab.model.evidence import NetworkEvidence
from swarmlab.model.kinds import Kind
from swarmlab.model.probe import Endpoint, PortInUse
from swarmlab.model.scenario import Scenario
from swarmlab.probes.session.external_client import ExternalClient
from swarmlab.probes.session.link import AgentLink
from swarmlab.probes.traffic.facts import Facts

DATA_PORT = 4789  # UDP, where VXLAN goes unless the Swarm was made with another


@dataclass(frozen=True, kw_only=True)
class LabView:
    """A running lab at one moment, as its engines describe it, and the agents to ask.

    `dead`: hosts without an agent, and why; `vips`: (service, network) -> virtual address; `addresses`: each host's own
    on the underlay; `timeout`: seconds that a probe waits; `pcap_bytes`: how much of its packets each host keeps.
    """

    scenario: Scenario
    endpoints: tuple[Endpoint, ...]
    agents: Mapping[str, AgentLink]
    timeout: float
    dead: Mapping[str, str] = field(default_factory=dict)
    vips: Mapping[tuple[str, str], str] = field(default_factory=dict)
    networks: tuple[NetworkEvidence, ...] = ()
    ports: tuple[PortInUse, ...] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)
    external_client: ExternalClient = field(default_factory=ExternalClient)
    data_port: int = DATA_PORT
    pcap_bytes: int = 0
    bus: Bus = field(default_factory=Bus)


@dataclass(frozen=True, kw_only=True)
class Results:
    """What has been found so far.

    `facts`: what traffic measured, for the stages after it; `pcaps`: host -> pcap file.
    """

    checks: tuple[Check, ...] = ()
    findings: tuple[Finding, ...] = ()
    facts: Facts | None = None
    pcaps: Mapping[str, bytes] = field(default_factory=dict)

    def plus(self, more: Results) -> Results:
        """With what one more stage has found."""
        return Results(
            checks=(*self.checks, *more.checks),
            findings=(*self.findings, *more.findings),
            facts=more.facts or self.facts,
            pcaps={**self.pcaps, **more.pcaps},
        )


class Stage(Protocol):
    """One part of a proof: plans, measures and judges the expectations of its kinds."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of expectation that it answers for."""
        ...

    @property
    def settles(self) -> bool:
        """Whether it is repeated while a lab that has just been deployed settles; else it runs once, after that."""
        ...

    def run(self, view: LabView, so_far: Results) -> Results:
        """Checks and findings of this stage alone. Sends nothing when nothing of its kinds is expected.

        Never raises for a host that fails: what it cannot measure is inconclusive.
        """
        ...
