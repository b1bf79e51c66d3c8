"""`up`: hosts, Swarm, networks, stack, proof. Safe to repeat; what fails on the first try is taken away again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from swarmlab import scenario as scenarios
from swarmlab.engine import stack
from swarmlab.errors import RunFailed, SwarmlabError, SwarmRefused, UsageError
from swarmlab.events import Bus
from swarmlab.lab import build, home, saved, state
from swarmlab.lab.agents import Agents
from swarmlab.lab.choose import choose
from swarmlab.lab.down import remove
from swarmlab.lab.existing import as_it_is
from swarmlab.lab.fleet import Fleet
from swarmlab.lab.options import UpOptions, lab_name
from swarmlab.lab.prove import SETTLE, Proof, prove
from swarmlab.lab.software import by_whom, host_names, provider_of, runs
from swarmlab.lab.state import LabState
from swarmlab.lab.view import ConnectedLab
from swarmlab.model.host import numbered
from swarmlab.model.kinds import About
from swarmlab.model.report import Report
from swarmlab.model.scenario import Scenario
from swarmlab.providers import HostsWanted, Provider, row
from swarmlab.scenario.needs import needs


@dataclass(frozen=True)
class Intent:
    """What `up` is going to do: read and checked, nothing touched."""

    lab: str
    scenario: Scenario
    options: UpOptions


def intend(options: UpOptions) -> Intent:
    """Read and check everything that can be known without touching a host. Raises UsageError or FileRejected."""
    if options.name:
        lab_name(options.name)
    file = scenarios.find(options.scenario)
    scenario = scenarios.read(file, options.settings, stand_in=options.stand_in)
    hosts = options.hosts or scenario.hosts
    managers = options.managers or min(scenario.managers, hosts)
    if managers > hosts:
        raise UsageError(
            f"{managers} managers need at least {managers} hosts, and there are {hosts}",
            fix="--hosts N or --managers 1",
        )
    provider = provider_of(options)
    runs(provider, options.engine, options.kernel, host_names(provider, hosts))  # refuses what cannot be
    pinned = {h for n in scenario.local_networks.values() for h in n.hosts} | {
        c.host for c in scenario.containers.values()
    }
    missing = sorted(pinned - set(numbered(hosts)))
    if missing:
        raise UsageError(
            f"the scenario pins something to {', '.join(missing)}, and there are {hosts} hosts",
            fix=f"--hosts {scenario.hosts}",
        )
    return Intent(lab_name(options.name or scenario.name), replace(scenario, hosts=hosts, managers=managers), options)


def grown(intent: Intent, known: LabState | None) -> Intent:
    """Fitted to the lab that is there: what is not asked for stays as it is, and the scenario is on the provider's
    hosts, by their names. Raises UsageError for what cannot be changed in place.
    """
    scenario, options = intent.scenario, intent.options
    if known is None:
        options = replace(options, provider=provider_of(options))
    else:
        count = options.hosts or max(scenario.hosts, known.host_count)
        scenario = replace(scenario, hosts=count, managers=max(scenario.managers, known.managers))
        options = as_it_is(known, options, count)
    scenario = scenario.on(host_names(options.provider, scenario.hosts))
    return replace(intent, scenario=scenario, options=options)


def up(options: UpOptions, bus: Bus) -> Report:
    """Build the lab and prove it. Raises RunFailed with what is known when it does not get that far."""
    intent = intend(options)
    with home.locked(intent.lab):
        known = state.load(intent.lab)
        intent, fresh = grown(intent, known), known is None
        by = by_whom(known, options)
        provider, why = choose(intent.options.provider, needs(intent.scenario), intent.scenario.hosts, by=by)
        bus.info(f"provider {provider.name}: {why}")
        report = Report(
            intent.lab, intent.scenario.name, provider.name, started=_now(), services=_services(intent.scenario)
        )
        try:
            report = _up(intent, provider, report, bus, known)
        except KeyboardInterrupt:
            _undo(intent, fresh, bus)
            raise
        except SwarmlabError as error:
            failed = replace(report, error=error.message, timings=dict(bus.timings))
            _undo(intent, fresh, bus)
            raise RunFailed(error, failed) from error
        saved.keep(report)
        return report


def _up(intent: Intent, provider: Provider, report: Report, bus: Bus, known: LabState | None) -> Report:
    lab, scenario, options = intent.lab, intent.scenario, intent.options
    kept = _remember(intent, provider, report.started, known)
    wanted = _wanted(intent, kept, provider)
    provider.prepare(wanted, bus)
    with Fleet() as fleet:
        kept = replace(kept, engine=options.engine, kernel=options.kernel, built=False)
        kept = kept.with_machines(provider.create(wanted, bus, fleet.greet))
        state.save(kept)
        engines = fleet.engines(kept.hosts)
        with Agents(engines) as agents:
            ahead = agents.start if options.verify else lambda: None
            owned = row(provider.name).owned
            swarm = build.form_swarm_and_carry(engines, scenario, lab, bus, owned=owned, then=ahead)
            build.deploy(engines, swarm, scenario, lab, bus, wait=options.wait)
            state.save(replace(kept, built=True))
            if not options.verify:
                return replace(report, timings=dict(bus.timings))
            build.ensure_control(engines, swarm, scenario, lab, bus, wait=options.wait)
            connected = ConnectedLab(
                name=lab, scenario=scenario, engines=engines, swarm=swarm, agents=agents, outside=kept.outside
            )
            proof = prove(connected, bus, timeout=options.timeout, settle=SETTLE, pcap=options.pcap)
        stack.still_running(swarm.leader, lab)
    return proven(report, proof, bus)


def proven(report: Report, proof: Proof, bus: Bus) -> Report:
    """The report with what was proven in it."""
    return replace(
        report,
        hosts=proof.hosts,
        checks=proof.checks,
        findings=proof.findings,
        attempts=proof.attempts,
        timings=dict(bus.timings),
    )


def _remember(intent: Intent, provider: Provider, started: str, known: LabState | None) -> LabState:
    """Written before the first thing is made: whatever happens next, `down` knows about it. Hosts that are there stay
    known.
    """
    options, scenario = intent.options, intent.scenario
    home.private_directory(home.lab_directory(intent.lab))
    copy = state.keep_scenario(intent.lab, scenario.file)
    kept = LabState(
        lab=intent.lab,
        scenario=scenario.name,
        provider=provider.name,
        file=str(copy),
        host_count=scenario.hosts,
        managers=scenario.managers,
        engine=known.engine if known and known.hosts else options.engine,
        kernel=known.kernel if known and known.hosts else options.kernel,
        settings=dict(options.settings),
        stand_in=options.stand_in,
        started=started,
        built=bool(known and known.built),
        hosts=known.hosts if known else (),
        outside=known.outside if known else None,
    )
    state.save(kept)
    return kept


def _wanted(intent: Intent, kept: LabState, provider: Provider) -> HostsWanted:
    scenario = intent.scenario
    subnets = [s for n in scenario.networks.values() for s in n.subnets] + [
        n.subnet for n in scenario.local_networks.values() if n.subnet
    ]
    return HostsWanted(
        lab=intent.lab,
        names=provider.host_names(scenario.hosts),
        engine=intent.options.engine,
        home=home.owner_id(),
        directory=kept.directory,
        avoid=tuple(subnets),
        outside=needs_outside(scenario),
        kernel=intent.options.kernel,
    )


def needs_outside(scenario: Scenario) -> bool:
    """Whether something is to be tried from a machine that is not in the Swarm."""
    return any(e.kind.row.about is About.OUTSIDE for e in scenario.expectations)


def _undo(intent: Intent, fresh: bool, bus: Bus) -> None:
    """A first `up` that failed leaves nothing; one that was to change an existing lab leaves it, and says so."""
    if fresh and intent.options.rollback:
        bus.info(f"removing what was made for lab {intent.lab}")
        try:
            remove(intent.lab, bus)
        except SwarmRefused:  # somebody else's lab of this name is why `up` failed: only our note of it goes
            home.forget(intent.lab)
    else:
        bus.info(f"lab {intent.lab} is left as it is; `swarmlab down {intent.lab}` removes it")


def _services(scenario: Scenario) -> tuple[str, ...]:
    return (*scenario.services, *scenario.containers)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
