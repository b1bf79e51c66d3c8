"""Which provider makes the hosts, and why: the cheapest whose kernels can honour all that the scenario needs."""

from __future__ import annotations

from collections.abc import Sequence

from swarmlab import providers
from swarmlab.errors import ProviderError
from swarmlab.lab.capabilities import Capabilities, capabilities
from swarmlab.lab.options import AUTO
from swarmlab.providers import Provider
from swarmlab.scenario.needs import WORDS, Need


def choose(
    name: str, needs: Sequence[Need] = (), hosts: int = 1, *, by: str = "chosen by name"
) -> tuple[Provider, str]:
    """The named provider (`by` whom), or with `auto` the cheapest that can honour all needs; and why, in one line.

    When none can, the cheapest that can make hosts, and what will be inconclusive. Raises ProviderError with each
    problem and its fix.
    """
    seen: list[Capabilities] = []
    for candidate in providers.automatic() if name == AUTO else [name]:
        provider = providers.get(candidate)
        found = capabilities(provider, ask=bool(needs))
        if name != AUTO and found.can_make(hosts):
            return provider, "; ".join([by, *_inconclusive(found, needs)])
        if found.can_make(hosts) and not found.missing(needs) and not found.unknown(needs):
            return provider, "; ".join([_cheapest(needs), *(_short(other, needs, hosts) for other in seen)])
        seen.append(found)
    return _best_of(seen, needs, hosts)


def _best_of(seen: Sequence[Capabilities], needs: Sequence[Need], hosts: int) -> tuple[Provider, str]:
    """None can honour everything for certain: what is not known may be there, what is missing is not."""
    able = [found for found in seen if found.can_make(hosts)]
    if not able:
        raise ProviderError(
            "no provider can make hosts here\n" + "\n".join(text for found in seen for text in _problems(found, hosts))
        )
    best = next((found for found in able if not found.missing(needs)), able[0])
    others = [_short(found, needs, hosts) for found in seen if found is not best]
    return providers.get(best.provider), "; ".join(
        ["the cheapest that works here", *_inconclusive(best, needs), *others]
    )


def _cheapest(needs: Sequence[Need]) -> str:
    return f"the cheapest that {_has(needs) if needs else 'works here'}"


def _has(needs: Sequence[Need]) -> str:
    return f"has {' and '.join(WORDS[need.feature] for need in needs)}"


def _problems(found: Capabilities, hosts: int) -> list[str]:
    if found.problems:
        return [f"{found.provider}: {problem.text}\n  fix: {problem.fix}" for problem in found.problems]
    return [f"{found.provider}: it can make {found.most} hosts, and {hosts} are wanted\n  fix: --hosts {found.most}"]


def _inconclusive(found: Capabilities, needs: Sequence[Need]) -> list[str]:
    missing = ", and no ".join(map(str, found.missing(needs)))
    texts = [f"its kernel has no {missing}: what depends on it will be inconclusive"] if missing else []
    return texts + [f"not known yet whether its kernel has {need}" for need in found.unknown(needs)]


def _short(found: Capabilities, needs: Sequence[Need], hosts: int) -> str:
    """Why not this one: `docker: its kernel has no ESP, which network back-net needs`."""
    if found.problems:
        return f"{found.provider}: {found.problems[0].text}"
    if not found.can_make(hosts):
        return f"{found.provider}: it can make {found.most} hosts, and {hosts} are wanted"
    missing = ", and no ".join(map(str, found.missing(needs)))
    return f"{found.provider}: " + (f"no {missing}" if missing else "not known whether its kernel has it all")
