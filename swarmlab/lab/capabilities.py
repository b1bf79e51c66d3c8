"""What each provider's hosts could do, here and now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from swarmlab import providers
from swarmlab.lab import home
from swarmlab.probes.session.bundle import agent_archive
from swarmlab.providers import Asking, Availability, Problem, Provider
from swarmlab.scenario.needs import WORDS, Need

ASKING = Asking(agent_archive, home.home)
ONCE_THEY_RUN = Availability(None, "known once its hosts run")


@dataclass(frozen=True)
class Capabilities:
    """What one provider's hosts would be. `most` is how many it can make, 0 none (then `problems` say why), None any
    number. `features` has every kernel feature that a scenario can need, unless there are problems.
    """

    provider: str
    most: int | None
    features: Mapping[str, Availability] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def can_make(self, hosts: int) -> bool:
        """Whether it can make so many hosts."""
        return not self.problems and (self.most is None or self.most >= hosts)

    def missing(self, needs: Sequence[Need]) -> list[Need]:
        """What its kernel certainly has not."""
        return [need for need in needs if self._has(need) is False]

    def unknown(self, needs: Sequence[Need]) -> list[Need]:
        """What its kernel may have or not."""
        return [need for need in needs if self._has(need) is None]

    def _has(self, need: Need) -> bool | None:
        return self.features.get(need.feature, ONCE_THEY_RUN).has


def capabilities(provider: Provider, *, ask: bool = True) -> Capabilities:
    """One provider's; with `ask` False no kernel is asked, since nothing depends on it."""
    if problems := provider.fitness():
        return Capabilities(provider.name, 0, problems=tuple(problems))
    said = provider.features(ASKING if ask else None)
    return Capabilities(provider.name, provider.most, {feature: said.get(feature, ONCE_THEY_RUN) for feature in WORDS})


def all_capabilities() -> list[Capabilities]:
    """Every provider's, for a table."""
    return [capabilities(providers.get(name)) for name in providers.PROVIDERS]
