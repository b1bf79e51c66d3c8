"""`up` of a lab that exists: what is not said stays as it is, and what cannot be changed in place is refused before anything is touched."""

from __future__ import annotations

from dataclasses import replace

from swarmlab.errors import UsageError
from swarmlab.lab.options import UpOptions
from swarmlab.lab.state import LabState
from swarmlab.providers.base import host_names
from swarmlab.providers.images.recipe import engines


def own_or_named(known: LabState | None, options: UpOptions) -> str:
    """How the provider of an `up` comes to be the one."""
    return "the lab's own" if known and options.provider == "auto" else "chosen by name"


def as_it_is(known: LabState, options: UpOptions, hosts: int) -> UpOptions:
    """The options with the lab's own provider and engines where none are asked for. Raises UsageError that says what to do."""
    provider = known.provider if options.provider == "auto" else options.provider
    if provider != known.provider:
        raise UsageError(
            f"lab {known.lab!r} is made by provider {known.provider}, and {provider} is asked for",
            fix=f"leave --provider out to complete it, choose another --name, or `swarmlab down {known.lab}` first",
        )
    if hosts < known.host_count:
        raise UsageError(
            f"lab {known.lab!r} has {known.host_count} hosts, and {hosts} are asked for: none is taken away from a lab",
            fix=f"--hosts {known.host_count}, or `swarmlab down {known.lab}` first",
        )
    return replace(options, provider=provider, engine=_engine(known, options.engine, hosts))


def _engine(known: LabState, wanted: str, hosts: int) -> str:
    """What a host runs is fixed when it is made; one that is new takes what is asked for."""
    if not wanted:
        return known.engine
    have, asked = engines(known.engine, host_names(known.host_count)), engines(wanted, host_names(hosts))
    for host in have:
        if have[host] != asked[host]:
            raise UsageError(
                f"{host} of lab {known.lab!r} runs engine {have[host]}, and {asked[host]} is asked for; the lab stays as it is",
                fix=f"leave --engine out to keep it, choose another --name, or `swarmlab down {known.lab}` first",
            )
    return wanted
