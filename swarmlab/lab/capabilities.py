"""What each provider's hosts could honour, here and now."""

from __future__ import annotations

import functools
import json

from swarmlab import providers
from swarmlab.errors import ProviderError
from swarmlab.lab import home
from swarmlab.probes.session.bundle import agent_archive
from swarmlab.providers import Provider, kernel
from swarmlab.providers.docker.local_engine import engine
from swarmlab.providers.kernel import Offer, Probed

ASKED = "kernels.json"  # engines whose kernel has everything; one that lacks something is asked again, since a module may have come


def offer(provider: Provider, *, ask: bool = True) -> Offer:
    """One provider's; with `ask` False its kernel is left in peace, since nothing depends on it."""
    return kernel.offer(provider.name, provider.fitness(), engines_kernel if ask else lambda: Probed(None, "not asked"))


def offers() -> list[Offer]:
    """Every provider's, for a table."""
    return [offer(providers.get(name)) for name in providers.PROVIDERS]


@functools.cache
def engines_kernel() -> Probed:
    """What the kernel of the local engine lacks; asked once for this process, and once for this boot where nothing is
    missing.
    """
    client = engine()
    try:
        key = kernel.identity(client)
        if key in _complete():
            return Probed(frozenset())
        found = kernel.probe(client, agent_archive())
    except ProviderError as error:
        return Probed(None, error.message)
    finally:
        client.close()
    if found.missing_features == frozenset():
        home.write(home.home() / ASKED, json.dumps([key]))
    return found


def _complete() -> list[str]:
    try:
        known = json.loads((home.home() / ASKED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [str(key) for key in known] if isinstance(known, list) else []
