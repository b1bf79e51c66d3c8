"""From a running lab to checks: look at it, go through the stages, and again while it settles."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from swarmlab import probes
from swarmlab.events import Bus
from swarmlab.lab.external_client import external_client
from swarmlab.lab.pcaps import PCAP_BYTES, keep
from swarmlab.lab.view import ConnectedLab, data_port, host_facts, look
from swarmlab.model.check import Check, Finding, Verdict, worst_first
from swarmlab.model.host import HostFacts
from swarmlab.model.kinds import DENY, KINDS
from swarmlab.probes.stage import Stage

SETTLE = 20.0  # seconds: gossip between engines converges within a few; see docs/decisions/0005-settling.md


@dataclass(frozen=True)
class Proof:
    """What was proven about a lab."""

    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]
    hosts: tuple[HostFacts, ...]
    attempts: int


def prove(lab: ConnectedLab, bus: Bus, *, timeout: float, settle: float = 0.0, pcap: Path | None = None) -> Proof:
    """Measure once; with `settle` (seconds), again for that long while an allow is unmet and no deny is violated.

    `timeout` is how many seconds a probe waits; with `pcap`, each host's packets go into a file of its own there.
    """
    with ExitStack() as stack, bus.phase("proof"):
        lab.agents.start()
        unchanging = probes.LabView(
            scenario=lab.scenario,
            endpoints=(),
            agents=lab.agents.links,
            dead=lab.agents.dead,
            timeout=timeout,
            addresses={name: engine.address for name, engine in lab.engines.items()},
            external_client=external_client(lab.outside, stack),
            data_port=data_port(lab.swarm),
            pcap_bytes=PCAP_BYTES if pcap else 0,
            bus=bus,
        )
        give_up = time.monotonic() + settle
        attempts, waiting = 0, True
        while waiting:
            attempts += 1
            view = look(lab, unchanging)
            results = _through((s for s in probes.STAGES if s.settles), view, probes.Results())
            waiting = _worth_another(results.checks) and time.monotonic() <= give_up
        results = _through((s for s in probes.STAGES if not s.settles), view, results)
        if pcap:
            keep(pcap, results.pcaps, bus)
        return Proof(results.checks, worst_first(results.findings), host_facts(lab, results), attempts)


def _through(stages: Iterable[Stage], view: probes.LabView, results: probes.Results) -> probes.Results:
    for stage in stages:
        results = results.plus(stage.run(view, results))
    return results


def _worth_another(checks: tuple[Check, ...]) -> bool:
    """Only an allow that has not come yet is worth waiting for; a violated deny is never measured away."""
    failed = [check for check in checks if check.verdict is Verdict.FAIL]
    return bool(failed) and all(check.expected != DENY and KINDS[check.kind].row.settles for check in failed)
