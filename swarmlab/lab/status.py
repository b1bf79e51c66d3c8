"""`status`: what runs, as it is now; a host that does not answer is shown as such."""

from __future__ import annotations

from dataclasses import dataclass, field

from swarmlab import providers
from swarmlab.engine import stack
from swarmlab.engine import swarm as swarms
from swarmlab.errors import HostError, LabUnknown, ProviderError, SwarmlabError
from swarmlab.lab import home, saved, state
from swarmlab.lab.fleet import connected
from swarmlab.lab.state import LabState
from swarmlab.model.host import Host
from swarmlab.remote import Remote


@dataclass(frozen=True)
class HostStatus:
    """One host, or the machine outside, which has no engine; `state` is ready, down or missing."""

    name: str
    address: str
    state: str
    engine: str = ""


@dataclass(frozen=True)
class LabStatus:
    """One lab; `state` is running, degraded, down or half-built. `services` are (name, "2/2")."""

    name: str
    scenario: str
    provider: str
    state: str
    verdict: str
    started: str
    hosts: list[HostStatus] = field(default_factory=list)
    services: list[tuple[str, str]] = field(default_factory=list)


def status(name: str | None) -> list[LabStatus]:
    """The named lab, or all of them."""
    if name is not None:
        return [_status(state.require(name))]
    return [found for lab in home.names() if (found := _listed(lab))]


def _listed(lab: str) -> LabStatus | None:
    """One of many: that its file is damaged must not hide the others."""
    try:
        kept = state.load(lab)
    except ProviderError as error:
        return LabStatus(lab, "unknown", "unknown", "damaged", f"unreadable: {error}", "unknown")
    return _status(kept) if kept else None


def _status(kept: LabState) -> LabStatus:
    existing = providers.get(kept.provider).found(home.owner_id()).get(kept.lab, [])
    hosts: list[HostStatus] = []
    services: list[tuple[str, str]] = []
    for host in kept.hosts:
        seen, found = _ask(host, kept, host.name in existing)
        hosts.append(seen)
        services = services or found
    some = any(h.state == "ready" for h in hosts)
    hosts += [_ask_outside(kept.outside, kept.outside.name in existing)] if kept.outside else []
    every = all(h.state == "ready" for h in hosts)
    word = "half-built" if not kept.built else "running" if some and every else "degraded" if some else "down"
    return LabStatus(kept.lab, kept.scenario, kept.provider, word, _verdict(kept.lab), kept.started, hosts, services)


def _ask(host: Host, kept: LabState, exists: bool) -> tuple[HostStatus, list[tuple[str, str]]]:
    if not exists:
        return HostStatus(host.name, host.address, "missing"), []
    try:
        with connected([host], deadline=3) as engines:
            engine = engines[host.name]
            swarm = swarms.find(engines, kept.lab)
            services = stack.services(engine, kept.lab) if swarm else []
            counts = [
                (_short(s, kept.lab), f"{s['ServiceStatus']['RunningTasks']}/{s['ServiceStatus']['DesiredTasks']}")
                for s in services
            ]
            return HostStatus(host.name, host.address, "ready", str(engine.version.get("Version", ""))), sorted(counts)
    except HostError:
        return HostStatus(host.name, host.address, "down"), []


def _ask_outside(host: Host, exists: bool) -> HostStatus:
    if not exists:
        return HostStatus(host.name, host.address, "missing")
    try:
        with Remote(host) as remote:
            remote.connect(3)
    except HostError:
        return HostStatus(host.name, host.address, "down")
    return HostStatus(host.name, host.address, "ready")


def _short(service: dict[str, dict[str, str]], lab: str) -> str:
    return service["Spec"]["Name"].removeprefix(f"{lab}_")


def _verdict(lab: str) -> str:
    try:
        return str(saved.last_report(lab).verdict)
    except LabUnknown:
        return "not measured"
    except SwarmlabError as error:
        return f"unreadable: {error.message}"
