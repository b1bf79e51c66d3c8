"""What is asked of a provider before there is a host: what hosts are called, and what `--engine` and `--kernel` make of
each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from swarmlab import providers
from swarmlab.errors import ProviderError, UsageError
from swarmlab.lab.options import AUTO, UpOptions
from swarmlab.lab.state import LabState
from swarmlab.providers import Kernel


def provider_of(options: UpOptions) -> str:
    """Who is asked to make the hosts: `auto` with a kernel means the cheapest provider with kernels to choose from."""
    if options.provider != AUTO or not options.kernel:
        return options.provider
    return next(filter(has_kernels_to_choose, providers.automatic()), AUTO)


def by_whom(known: LabState | None, options: UpOptions) -> str:
    """How the provider of an `up` comes to be the one."""
    if options.provider != AUTO:
        return "chosen by name"
    if known:
        return "the lab's own"
    cheaper = takewhile(lambda name: not has_kernels_to_choose(name), providers.automatic())
    passed_over = [f"{name}: {providers.row(name).kernel.value}" for name in cheaper]
    return "; ".join(["--kernel wants hosts with a kernel of their own", *passed_over])


def asked_for(options: UpOptions) -> str:
    """As the end of a sentence about hosts; "" where nothing is asked for.

    >>> asked_for(UpOptions("shop", kernel="host1=6.1"))
    ', kernel host1=6.1'
    """
    return "".join(
        f", {word} {asked}" for word, asked in (("engine", options.engine), ("kernel", options.kernel)) if asked
    )


def host_names(provider: str, count: int) -> tuple[str, ...]:
    """What so many hosts of a provider are called. Raises UsageError when there is none of that name."""
    return providers.get(_named(provider)).host_names(count)


def runs(provider: str, engine: str, kernel: str, hosts: Sequence[str]) -> dict[str, dict[str, str]]:
    """For each host its `engine` and, where it has one of its own, its `kernel`. Raises UsageError for what cannot
    be.
    """
    named = _named(provider)
    if kernel and not has_kernels_to_choose(named):
        raise UsageError(
            f"--kernel {kernel} and provider {named} do not go together: {providers.row(named).kernel.value}",
            fix=f"--provider {with_kernels_to_choose()}, or leave --kernel out",
        )
    return providers.get(named).software(engine, kernel, hosts)


def has_kernels_to_choose(provider: str) -> bool:
    """Whether `--kernel` may name one for this provider's hosts. Raises UsageError when there is none of that name."""
    return providers.row(provider).kernel is Kernel.CHOSEN


def with_kernels_to_choose() -> str:
    """The providers whose hosts have a kernel to choose, for a message."""
    return " or ".join(filter(has_kernels_to_choose, providers.PROVIDERS)) or "(there is none that can)"


def _named(provider: str) -> str:
    """Who answers for `auto`: the cheapest one, since all that it may take call their hosts the same."""
    if provider != AUTO:
        return provider
    found = providers.automatic()
    if not found:
        raise ProviderError("no provider can make hosts here", fix="name one with --provider")
    return found[0]
