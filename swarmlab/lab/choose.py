"""Which provider makes the hosts, and why: the cheapest whose kernels can honour all that the scenario needs."""

from __future__ import annotations

from collections.abc import Sequence

from swarmlab import providers
from swarmlab.errors import ProviderError
from swarmlab.lab.offers import offer
from swarmlab.providers import Provider
from swarmlab.providers.kernel import Offer
from swarmlab.scenario.needs import WORDS, Need

ORDER = ("docker", "qemu", "vagrant")  # cheapest first; those that are not registered are passed over


def choose(
    name: str, needs: Sequence[Need] = (), hosts: int = 1, *, by: str = "chosen by name"
) -> tuple[Provider, str]:
    """The named provider (`by` whom), or with `auto` the cheapest that can honour all needs; and why, in one line.

    When none can, the cheapest that can make hosts, and what will be inconclusive. Raises ProviderError with each
    problem and its fix.
    """
    seen: list[Offer] = []
    for candidate in [n for n in ORDER if n in providers.PROVIDERS] if name == "auto" else [name]:
        provider = providers.get(candidate)
        found = offer(provider, ask=bool(needs))
        if name != "auto" and not _unable(found, hosts):
            return provider, "; ".join([by, *_inconclusive(found, needs)])
        if not _unable(found, hosts) and all(found.features[need.feature].has for need in needs):
            return provider, "; ".join([_cheapest(needs), *(_short(other, needs, hosts) for other in seen)])
        seen.append(found)
    return _best_of(seen, needs, hosts)


def _best_of(seen: Sequence[Offer], needs: Sequence[Need], hosts: int) -> tuple[Provider, str]:
    """None can honour everything for certain: what is not known may be there, what is missing is not."""
    able = [found for found in seen if not _unable(found, hosts)]
    if not able:
        raise ProviderError(
            "no provider can make hosts here\n" + "\n".join(text for found in seen for text in _problems(found, hosts))
        )
    best = next((found for found in able if not _lacking(found, needs)), able[0])
    others = [_short(found, needs, hosts) for found in seen if found is not best]
    return providers.get(best.provider), "; ".join(
        ["the cheapest that works here", *_inconclusive(best, needs), *others]
    )


def _cheapest(needs: Sequence[Need]) -> str:
    return (
        f"the cheapest that has {' and '.join(WORDS[need.feature] for need in needs)}"
        if needs
        else "the cheapest that works here"
    )


def _unable(found: Offer, hosts: int) -> bool:
    return bool(found.problems) or (found.most is not None and found.most < hosts)


def _problems(found: Offer, hosts: int) -> list[str]:
    if found.problems:
        return [f"{found.provider}: {problem.text}\n  fix: {problem.fix}" for problem in found.problems]
    return [f"{found.provider}: it can make {found.most} hosts, and {hosts} are wanted\n  fix: --hosts {found.most}"]


def _lacking(found: Offer, needs: Sequence[Need]) -> list[Need]:
    return [need for need in needs if found.features[need.feature].has is False]


def _inconclusive(found: Offer, needs: Sequence[Need]) -> list[str]:
    lacking, unknown = _lacking(found, needs), [need for need in needs if found.features[need.feature].has is None]
    texts = (
        [f"its kernel has no {', and no '.join(map(str, lacking))}: what depends on it will be inconclusive"]
        if lacking
        else []
    )
    return texts + [f"not known yet whether its kernel has {need}" for need in unknown]


def _short(found: Offer, needs: Sequence[Need], hosts: int) -> str:
    """Why not this one: `docker: its kernel has no ESP, which network back-net needs`."""
    if found.problems:
        return f"{found.provider}: {found.problems[0].text}"
    if _unable(found, hosts):
        return f"{found.provider}: it can make {found.most} hosts, and {hosts} are wanted"
    lacking = _lacking(found, needs)
    return f"{found.provider}: " + (
        f"no {', and no '.join(map(str, lacking))}" if lacking else "not known whether its kernel has it all"
    )
