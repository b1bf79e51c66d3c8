"""The wire's part of a proof: canaries over every overlay while all hosts capture their underlay."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from swarmlab import probes
from swarmlab.engine import overlay
from swarmlab.engine.client import Engine
from swarmlab.engine.swarm import Swarm
from swarmlab.errors import HostError
from swarmlab.events import Bus
from swarmlab.model.check import Check, Finding
from swarmlab.model.evidence import Measurement, NetworkEvidence
from swarmlab.model.kinds import Kind
from swarmlab.model.probe import Endpoint
from swarmlab.model.scenario import Scenario

PCAP_BYTES = 2 * 1024 * 1024  # bytes of packets that each host keeps for --pcap
Proven = tuple[tuple[Check, ...], tuple[Finding, ...]]


def prove_wire(
    engines: Mapping[str, Engine],
    links: Mapping[str, probes.SessionLink],
    swarm: Swarm,
    scenario: Scenario,
    lab: str,
    endpoints: Sequence[Endpoint],
    measured: Measurement,
    *,
    timeout: float,
    bus: Bus,
    pcap: Path | None = None,
) -> Proven:
    """Checks and findings; with `pcap`, each host's packets go into a file of its own there."""
    if not any(e.kind is Kind.WIRE for e in scenario.expectations):
        return (), ()
    networks = (*measured.networks, *_control(swarm, lab, endpoints))
    addresses = {name: engine.address for name, engine in engines.items()}
    plan = probes.wire_plan(scenario, endpoints, networks, addresses, data_port=_data_port(swarm))
    alive = {host: link for host, link in links.items() if host not in measured.dead_hosts}
    pcap_bytes = PCAP_BYTES if pcap else 0
    found = probes.wire_measure(
        plan,
        alive,
        timeout=timeout,
        missing_features=measured.missing_features,
        dead=measured.dead_hosts,
        pcap_bytes=pcap_bytes,
    )
    if pcap:
        _keep(pcap, found.pcaps, bus)
    checks = probes.judge_wire(scenario, plan, found)
    return checks, probes.wire_findings(plan, found, checks)


def _control(swarm: Swarm, lab: str, endpoints: Sequence[Endpoint]) -> Iterator[NetworkEvidence]:
    """The lab's own plain overlay, where it has tasks."""
    name = overlay.control_name(lab)
    if any(endpoint.role == "control" for endpoint in endpoints):
        with contextlib.suppress(HostError):  # not known, then it proves no capture
            yield overlay.seen_from(swarm.leader, name, name)


def _data_port(swarm: Swarm) -> int:
    """Where the Swarm's VXLAN goes; an engine that does not say uses the usual one."""
    with contextlib.suppress(HostError):
        cluster = swarm.leader.info().get("Swarm", {}).get("Cluster") or {}
        return int(cluster.get("DataPathPort") or probes.DATA_PORT)
    return probes.DATA_PORT


def _keep(directory: Path, pcaps: Mapping[str, bytes], bus: Bus) -> None:
    """For its owner only: what passed in clear can be read there. A full disk must not cost the proof."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for host, data in pcaps.items():
            path = directory / f"{host}.pcap"
            path.touch(mode=0o600)
            path.chmod(0o600)
            path.write_bytes(data)
    except OSError as error:
        bus.warn(f"--pcap {directory}: the captures could not be written: {error.strerror}")
