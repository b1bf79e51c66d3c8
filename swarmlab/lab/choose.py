"""Which provider makes the hosts, and why."""

from __future__ import annotations

from swarmlab import providers
from swarmlab.errors import ProviderError
from swarmlab.providers import Provider

ORDER = ("docker", "qemu")  # cheapest first


def choose(name: str) -> tuple[Provider, str]:
    """The named provider, or with `auto` the first that works here. Raises ProviderError with each problem and its fix."""
    candidates = ORDER if name == "auto" else (name,)
    problems = []
    for candidate in candidates:
        provider = providers.get(candidate)
        found = provider.fitness()
        if not found:
            return provider, "chosen by name" if name != "auto" else "the cheapest that works here"
        problems += [f"{candidate}: {problem.text}\n  fix: {problem.fix}" for problem in found]
    raise ProviderError("no provider can make hosts here\n" + "\n".join(problems))
