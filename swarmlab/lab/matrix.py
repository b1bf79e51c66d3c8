"""`matrix`: the same scenario on each engine, and on all of them mixed, one lab after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from swarmlab.errors import LabUnknown, RunFailed, SwarmlabError, UsageError
from swarmlab.events import Bus
from swarmlab.lab import state
from swarmlab.lab.choose import choose
from swarmlab.lab.down import down
from swarmlab.lab.options import UpOptions, lab_name
from swarmlab.lab.software import by_whom, host_names, provider_of
from swarmlab.lab.up import intend, up
from swarmlab.model.matrix import EngineRun
from swarmlab.model.report import Report
from swarmlab.providers.images.recipe import engines as engines_of
from swarmlab.scenario.needs import needs

MIXED = "mixed"


@dataclass(frozen=True)
class PlannedRun:
    """One run that is to be made; `options` are those of its `up`."""

    name: str
    engines: Mapping[str, str]
    options: UpOptions


def planned_runs(options: UpOptions, engines: Sequence[str], *, mixed: bool, keep: bool) -> list[PlannedRun]:
    """Every run, checked before the first is made. `options.name` is what the labs' names begin with. Raises
    UsageError, FileRejected.
    """
    prefix, hosts = _prefix_and_hosts(options)
    wanted = {engine: engine for engine in engines}
    if mixed and min(len(engines), len(hosts)) > 1:
        wanted[MIXED] = ",".join(f"{host}={engines[number % len(engines)]}" for number, host in enumerate(hosts))
    made = []
    for name, engine in wanted.items():
        lab = lab_name(f"{prefix}-{name.replace('.', '-')}")
        if not keep and state.load(lab) is not None:
            fix = f"`swarmlab down {lab}`, choose another --name, or --keep to measure it and leave it there"
            raise UsageError(f"there is a lab {lab!r} already, and the matrix would remove it", fix=fix)
        made.append(PlannedRun(name, engines_of(engine, hosts), replace(options, name=lab, engine=engine)))
    return made


def _prefix_and_hosts(options: UpOptions) -> tuple[str, tuple[str, ...]]:
    intent = intend(options)
    return intent.lab, host_names(provider_of(options), intent.scenario.hosts)


def provider_for(options: UpOptions, bus: Bus) -> str:
    """Chosen once, so that all runs are on the same kind of host. Raises ProviderError."""
    scenario = intend(options).scenario
    provider, why = choose(provider_of(options), needs(scenario), scenario.hosts, by=by_whom(None, options))
    bus.info(f"provider {provider.name}: {why}")
    return provider.name


def runs(wanted: Sequence[PlannedRun], bus: Bus, provider: str, *, keep: bool) -> Iterator[EngineRun]:
    """Each run as soon as it is done. What cannot be built is a run with an error, and does not stop the others."""
    for number, planned in enumerate(wanted, 1):
        left_out = (
            sorted({one.name for one in wanted} - {MIXED, *planned.engines.values()}) if planned.name == MIXED else []
        )
        note = f"; {len(planned.engines)} hosts leave no room for {', '.join(left_out)}" if left_out else ""
        bus.info(f"run {number} of {len(wanted)}: {planned.name}, lab {planned.options.name}{note}")
        yield _run(replace(planned, options=replace(planned.options, provider=provider)), Bus(bus.observers), keep)


def _run(planned: PlannedRun, bus: Bus, keep: bool) -> EngineRun:
    lab = str(planned.options.name)
    try:
        report, status = _measured(planned, bus)
        removed = keep or _removed(lab, bus)
    except BaseException:  # interrupted, or a mistake of ours: the lab of this run goes all the same
        _removed(lab, bus)
        raise
    kept = (keep or not removed) and state.load(lab) is not None
    return EngineRun(planned.name, lab, planned.engines, report, status if removed else SwarmlabError.status, kept)


def _measured(planned: PlannedRun, bus: Bus) -> tuple[Report, int]:
    try:
        report = up(planned.options, bus)
    except SwarmlabError as error:
        known = error.report if isinstance(error, RunFailed) else None
        empty = Report(
            planned.options.name, planned.options.scenario, planned.options.provider, timings=dict(bus.timings)
        )
        bus.warn(f"{planned.name}: {error.message}")
        return replace(known if isinstance(known, Report) else empty, error=error.message), SwarmlabError.status
    return report, report.exit_status


def _removed(lab: str, bus: Bus) -> bool:
    """Whether nothing of the lab is left; that it is gone already is as good."""
    try:
        down(lab, bus)
    except LabUnknown:
        return True
    except SwarmlabError as error:
        bus.warn(f"lab {lab} could not be removed: {error.message}; `swarmlab down {lab}` tries again")
        return False
    return True
