"""`up` of a lab that exists: what is not said stays as it is, and what cannot be changed in place is refused before
anything is touched.
"""

from __future__ import annotations

from dataclasses import replace

from swarmlab.errors import UsageError
from swarmlab.lab.options import AUTO, UpOptions
from swarmlab.lab.software import has_kernels_to_choose, host_names, runs, with_kernels_to_choose
from swarmlab.lab.state import LabState
from swarmlab.providers import row


def as_it_is(known: LabState, options: UpOptions, hosts: int) -> UpOptions:
    """The options with the lab's own provider, engines and kernels where none are asked for. Raises UsageError that
    says what to do.
    """
    provider = known.provider if options.provider == AUTO else options.provider
    if provider != known.provider:
        raise UsageError(
            f"lab {known.lab!r} is made by provider {known.provider}, and {provider} is asked for",
            fix=f"leave --provider out to complete it, choose another --name, or `swarmlab down {known.lab}` first",
        )
    if options.kernel and not has_kernels_to_choose(provider):
        why, others = row(provider).kernel.value, with_kernels_to_choose()
        raise UsageError(
            f"lab {known.lab!r} is made by provider {provider}, and --kernel is asked for: {why}",
            fix=f"leave --kernel out to complete it, or choose another --name with --provider {others}",
        )
    if hosts < known.host_count:
        raise UsageError(
            f"lab {known.lab!r} has {known.host_count} hosts, and {hosts} are asked for: none is taken away from a lab",
            fix=f"--hosts {known.host_count}, or `swarmlab down {known.lab}` first",
        )
    found = replace(
        options, provider=provider, engine=options.engine or known.engine, kernel=options.kernel or known.kernel
    )
    _refuse_changes(known, found, hosts)
    return found


def _refuse_changes(known: LabState, wanted: UpOptions, hosts: int) -> None:
    """What a host runs is fixed when it is made; one that is new takes what is asked for."""
    have = runs(known.provider, known.engine, known.kernel, host_names(known.provider, known.host_count))
    asked = runs(known.provider, wanted.engine, wanted.kernel, host_names(known.provider, hosts))
    for host, what, version in [(host, what, version) for host, each in have.items() for what, version in each.items()]:
        if asked[host][what] != version:
            raise UsageError(
                f"{host} of lab {known.lab!r} runs {what} {version}, and {asked[host][what]} is asked for; "
                "the lab stays as it is",
                fix=f"leave --{what} out to keep it, choose another --name, or `swarmlab down {known.lab}` first",
            )
