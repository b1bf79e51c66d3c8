"""`plan`: what `up` would do, with which provider; nothing is touched."""

from __future__ import annotations

from dataclasses import dataclass, field

from swarmlab.errors import ProviderError
from swarmlab.lab import state
from swarmlab.lab.capabilities import Capabilities, all_capabilities
from swarmlab.lab.choose import choose
from swarmlab.lab.options import UpOptions
from swarmlab.lab.software import asked_for, by_whom
from swarmlab.lab.up import grown, intend, needs_outside
from swarmlab.model.scenario import Scenario
from swarmlab.reports.text import plural
from swarmlab.scenario.needs import needs


@dataclass(frozen=True)
class LabPlan:
    """What would happen. `problems`: why it cannot, here and now; `missing_features`: of `needs`, what the kernel of
    the provider's hosts has not; `capabilities`: those of every provider.
    """

    lab: str
    provider: str
    why: str
    hosts: int
    managers: int
    scenario: Scenario
    steps: list[str]
    problems: list[str]
    needs: list[str] = field(default_factory=list)
    missing_features: list[str] = field(default_factory=list)
    capabilities: list[Capabilities] = field(default_factory=list)


def plan(options: UpOptions) -> LabPlan:
    """Raises UsageError or FileRejected, as `up` would."""
    intent = intend(options)
    known = state.load(intent.lab)
    intent, by = grown(intent, known), by_whom(known, options)
    scenario, options = intent.scenario, intent.options
    problems: list[str] = []
    needed = needs(scenario)
    provider, why = options.provider, "cannot make hosts here"
    try:
        chosen, why = choose(options.provider, needed, scenario.hosts, by=by)
        provider = chosen.name
    except ProviderError as error:
        problems.append(str(error))
    make = f"{'complete' if known else 'make'} {scenario.hosts} hosts with provider {provider}{asked_for(options)}"
    table = all_capabilities()
    return LabPlan(
        lab=intent.lab,
        provider=provider,
        why=why,
        hosts=scenario.hosts,
        managers=scenario.managers,
        scenario=scenario,
        steps=[make, *_steps(scenario, intent.lab)],
        problems=problems,
        needs=list(map(str, needed)),
        missing_features=[str(n) for found in table if found.provider == provider for n in found.missing(needed)],
        capabilities=table,
    )


def _steps(scenario: Scenario, lab: str) -> list[str]:
    """What happens once there are hosts, in order."""
    return [
        *(["make a machine beside them, `outside` the Swarm"] if needs_outside(scenario) else []),
        f"form a Swarm with {scenario.managers} of them as managers",
        f"carry {plural(len(scenario.images), 'image')} there: {', '.join(scenario.images)}",
        *[
            f"create {n.driver} network {n.deployed_as(lab)}{_traits(n.internal, n.encrypted)}"
            for n in scenario.networks.values()
        ],
        *[
            f"create {n.driver} network {n.name} on each of {', '.join(n.hosts)}"
            for n in scenario.local_networks.values()
        ],
        *[f"deploy service {s.name}, {_tasks(s.replicas)}" for s in scenario.services.values()],
        *[f"run container {c.name} on {c.host}" for c in scenario.containers.values()],
        f"prove {len(scenario.expectations)} expectations",
    ]


def _tasks(replicas: int | None) -> str:
    return "one task per host" if replicas is None else plural(replicas, "task")


def _traits(internal: bool, encrypted: bool) -> str:
    words = [word for word, holds in (("internal", internal), ("encrypted", encrypted)) if holds]
    return f" ({', '.join(words)})" if words else ""
