"""`--engine` and `--kernel`: what each host of a lab is to run, and which providers' hosts have a kernel to choose."""

from __future__ import annotations

from collections.abc import Sequence

from swarmlab.errors import UsageError
from swarmlab.lab.options import UpOptions
from swarmlab.lab.state import LabState
from swarmlab.providers.images.machine import machine_recipes
from swarmlab.providers.images.recipe import engines

OWN_KERNELS = "qemu"  # the provider that makes hosts with the kernel that is asked for
SHARED = "containers share this machine's kernel"
WHY_NOT = {"docker": SHARED, "inventory": "hosts that exist already keep the kernel that they run"}
OTHERS = "its hosts bring a kernel of their own"


def provider_of(options: UpOptions) -> str:
    """Who is asked to make the hosts: `auto` with a kernel means the provider that has kernels to choose from."""
    return OWN_KERNELS if options.kernel and options.provider == "auto" else options.provider


def by_whom(known: LabState | None, options: UpOptions) -> str:
    """How the provider of an `up` comes to be the one."""
    if options.provider != "auto":
        return "chosen by name"
    return "the lab's own" if known else f"--kernel wants hosts with a kernel of their own; docker: {SHARED}"


def asked_for(options: UpOptions) -> str:
    """As the end of a sentence about hosts; "" where nothing is asked for.

    >>> asked_for(UpOptions("shop", kernel="host1=6.1"))
    ', kernel host1=6.1'
    """
    return "".join(
        f", {word} {asked}" for word, asked in (("engine", options.engine), ("kernel", options.kernel)) if asked
    )


def runs(provider: str, engine: str, kernel: str, hosts: Sequence[str]) -> dict[str, dict[str, str]]:
    """For each host its `engine` and, where it has one of its own, its `kernel`. Raises UsageError for what cannot
    be.
    """
    if provider == OWN_KERNELS:
        return {host: recipe.runs for host, recipe in machine_recipes(engine, kernel, hosts).items()}
    if kernel:
        raise UsageError(
            f"--kernel {kernel} and provider {provider} do not go together: {WHY_NOT.get(provider, OTHERS)}",
            fix=f"--provider {OWN_KERNELS}, or leave --kernel out",
        )
    return {host: {"engine": version} for host, version in engines(engine, hosts).items()}
