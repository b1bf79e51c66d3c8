"""`down`: remove all that `up` made, by name, without the scenario file and even when the hosts are dead; nothing
else.
"""

from __future__ import annotations

from swarmlab import providers
from swarmlab.errors import HostsError, LabUnknown, ProviderError, SwarmlabError
from swarmlab.events import Bus
from swarmlab.lab import home, state
from swarmlab.lab.options import LAB_NAME
from swarmlab.providers import Provider


def down(name: str | None, bus: Bus) -> list[str]:
    """What was removed, one line each. Raises LabUnknown when there was nothing of that name."""
    # A lab without state may still have hosts; what cannot be a name never becomes a path or a label.
    lab = name if name is not None and LAB_NAME.fullmatch(name) else state.require(name).lab
    with home.locked(lab):
        existed = lab in home.names()
        removed = remove(lab, bus)
    if not removed and not existed:
        raise LabUnknown(
            f"there is no lab {lab!r}; labs: {', '.join(known_labs()) or 'none'}",
            fix="`swarmlab list` shows what there is",
        )
    return removed


def down_all(bus: Bus) -> list[str]:
    """Every lab that has state here, and every one of ours that the providers still know. One that fails does not keep
    the others.
    """
    removed: list[str] = []
    failures: dict[str, SwarmlabError] = {}
    for lab in known_labs():
        try:
            removed += down(lab, bus)
        except SwarmlabError as error:
            failures[lab] = error
    for line in removed if failures else ():
        bus.info(f"removed {line}")
    if len(failures) == 1:
        raise next(iter(failures.values()))
    if failures:
        raise HostsError(failures)
    return removed


def known_labs() -> list[str]:
    """Labs with state or with hosts."""
    return sorted({lab for provider in _usable() for lab in provider.found(home.owner_id())} | set(home.names()))


def remove(lab: str, bus: Bus) -> list[str]:
    """Hosts first, then what we remember of them: if we die in between, `down` can be repeated."""
    with bus.phase("down", lab):
        removed = [line for provider in _providers(lab) for line in provider.destroy(lab, home.owner_id())]
        if home.forget(lab):
            removed.append(f"state of lab {lab}")
    return removed


def _providers(lab: str) -> list[Provider]:
    """The one that its state names. A damaged or missing state leaves the label, which every provider that works here
    is asked for.
    """
    try:
        known = state.load(lab)
    except ProviderError:
        known = None
    if known and known.provider in providers.PROVIDERS:
        return [providers.get(known.provider)]
    return _usable() or [providers.get(name) for name in providers.PROVIDERS]


def _usable() -> list[Provider]:
    found = [providers.get(name) for name in providers.PROVIDERS]
    return [provider for provider in found if not provider.fitness()]
