"""`verify`: measure again; nothing in the stack is changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from swarmlab.engine import swarm as swarms
from swarmlab.errors import HostError, RunFailed, SwarmlabError
from swarmlab.events import Bus
from swarmlab.lab import home, saved, state
from swarmlab.lab.agents import Agents
from swarmlab.lab.fleet import connected
from swarmlab.lab.prove import prove
from swarmlab.lab.state import LabState
from swarmlab.lab.up import proven
from swarmlab.lab.view import ConnectedLab
from swarmlab.model.report import Report


def verify(name: str | None, bus: Bus, *, timeout: float = 2.0, pcap: Path | None = None) -> Report:
    """Raises RunFailed with what is known when the lab cannot be reached."""
    kept = state.require(name)
    with home.locked(kept.lab):
        scenario = kept.read_scenario()
        started = datetime.now(UTC).isoformat(timespec="seconds")
        report = Report(
            kept.lab, kept.scenario, kept.provider, started=started, services=(*scenario.services, *scenario.containers)
        )
        try:
            report = _verify(kept, report, bus, timeout, pcap)
        except SwarmlabError as error:
            raise RunFailed(error, replace(report, error=error.message, timings=dict(bus.timings))) from error
        saved.keep(report)
        return report


def _verify(kept: LabState, report: Report, bus: Bus, timeout: float, pcap: Path | None) -> Report:
    if not kept.hosts:
        raise HostError(
            kept.lab,
            "its hosts were never made",
            fix=f"`swarmlab up {kept.scenario} --name {kept.lab}` completes the lab",
        )
    with connected(kept.hosts, deadline=10) as engines:
        swarm = swarms.find(engines, kept.lab)
        if swarm is None:
            raise HostError(
                kept.lab, "none of its hosts manages its Swarm", fix="`swarmlab up` again completes the lab"
            )
        with Agents(engines) as agents:
            lab = ConnectedLab(
                name=kept.lab,
                scenario=kept.read_scenario(),
                engines=engines,
                swarm=swarm,
                agents=agents,
                outside=kept.outside,
            )
            proof = prove(lab, bus, timeout=timeout, pcap=pcap)
    return proven(report, proof, bus)
