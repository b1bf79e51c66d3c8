"""`down`: remove all that `up` made, by name, without the scenario file and even when the hosts are dead; nothing else."""

from __future__ import annotations

from swarmlab import providers
from swarmlab.errors import LabUnknown, ProviderError
from swarmlab.events import Bus
from swarmlab.lab import home, state
from swarmlab.lab.options import lab_name
from swarmlab.providers import Provider


def down(name: str | None, bus: Bus) -> list[str]:
    """What was removed, one line each. Raises LabUnknown when there was nothing of that name."""
    lab = lab_name(name) if name is not None else state.require(None).lab
    with home.locked(lab):
        existed = lab in home.names()
        removed = remove(lab, _provider(lab), bus)
    if not removed and not existed:
        raise LabUnknown(f"there is no lab {lab!r}; labs: {', '.join(known_labs()) or 'none'}", fix="`swarmlab list` shows what there is")
    return removed


def down_all(bus: Bus) -> list[str]:
    """Every lab that has state here, and every one of ours that the providers still know."""
    return [line for lab in known_labs() for line in down(lab, bus)]


def known_labs() -> list[str]:
    """Labs with state or with hosts."""
    found = {lab for name in providers.PROVIDERS if not (p := providers.get(name)).fitness() for lab in p.found(home.owner_id())}
    return sorted(found | set(home.names()))


def remove(lab: str, provider: Provider, bus: Bus) -> list[str]:
    """Hosts first, then what we remember of them: if we die in between, `down` can be repeated."""
    with bus.phase("down", lab):
        removed = provider.destroy(lab, home.owner_id())
        if home.forget(lab):
            removed.append(f"state of lab {lab}")
    return removed


def _provider(lab: str) -> Provider:
    """By its state; a damaged or missing state leaves the marks of what it made, which every provider can look for."""
    try:
        known = state.load(lab)
    except ProviderError:
        known = None
    if known:
        return providers.get(known.provider)
    fit = [one for name in providers.PROVIDERS if not (one := providers.get(name)).fitness()]
    return next((one for one in fit if lab in one.found(home.owner_id())), providers.get(next(iter(providers.PROVIDERS))))
