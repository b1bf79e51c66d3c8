"""`plan`: what `up` would do, with which provider; nothing is touched."""

from __future__ import annotations

from dataclasses import dataclass

from swarmlab.errors import ProviderError
from swarmlab.lab import state
from swarmlab.lab.choose import choose
from swarmlab.lab.options import UpOptions
from swarmlab.lab.up import intend, needs_outside
from swarmlab.model.scenario import Scenario


@dataclass(frozen=True)
class LabPlan:
    """What would happen. `problems` are the reasons why it cannot, here and now."""

    lab: str
    provider: str
    why: str
    hosts: int
    managers: int
    scenario: Scenario
    steps: list[str]
    problems: list[str]


def plan(options: UpOptions) -> LabPlan:
    """Raises UsageError or FileRejected, as `up` would."""
    intent = intend(options)
    scenario = intent.scenario
    problems: list[str] = []
    provider, why = options.provider, "cannot make hosts here"
    try:
        chosen, why = choose(options.provider)
        provider = chosen.name
    except ProviderError as error:
        problems.append(str(error))
    exists = state.load(intent.lab) is not None
    steps = [
        f"{'complete' if exists else 'make'} {scenario.hosts} hosts with provider {provider}",
        *(["make a machine beside them, `outside` the Swarm"] if needs_outside(scenario) else []),
        f"form a Swarm with {scenario.managers} of them as managers",
        f"carry {len(scenario.images)} images there: {', '.join(scenario.images)}",
        *[f"create {n.driver} network {n.deployed_as(intent.lab)}{_traits(n.internal, n.encrypted)}" for n in scenario.networks.values()],
        *[f"create {n.driver} network {n.name} on each of {', '.join(n.hosts)}" for n in scenario.local_networks.values()],
        *[f"deploy service {s.name}, {'one task per host' if s.is_global else f'{s.replicas} tasks'}" for s in scenario.services.values()],
        *[f"run container {c.name} on {c.host}" for c in scenario.containers.values()],
        f"prove {len(scenario.expectations)} expectations",
    ]
    return LabPlan(intent.lab, provider, why, scenario.hosts, scenario.managers, scenario, steps, problems)


def _traits(internal: bool, encrypted: bool) -> str:
    words = [word for word, holds in (("internal", internal), ("encrypted", encrypted)) if holds]
    return f" ({', '.join(words)})" if words else ""
