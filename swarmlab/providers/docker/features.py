"""Which kernel features container hosts have: those of the engine's kernel, asked once for each boot of it."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping

from swarmlab.errors import ProviderError
from swarmlab.model.kinds import ESP, IPVS
from swarmlab.providers.base import Asking, Availability
from swarmlab.providers.docker import kernel
from swarmlab.providers.docker.kernel import Probed
from swarmlab.providers.docker.local_engine import engine
from swarmlab.remote.keys import write_private

# Engines whose kernel has everything. One that lacks something is asked again, since a module may have come.
NOTE = "kernels.json"
NOT_ASKED = Probed(None, "not asked")
HOW = {  # how it is known that the kernel has a feature, and that it has not
    ESP: (
        "its kernel takes a test association",
        "its kernel refuses a test association: it wants INET_ESP and rfc4106(gcm(aes))",
    ),
    IPVS: ("its kernel has it, or a module of it", "its kernel neither answers for IPVS nor has a module of it"),
}


def features(asking: Asking | None) -> Mapping[str, Availability]:
    """What container hosts on the local engine have; with `asking` None the kernel is left in peace."""
    probed = engines_kernel(asking) if asking else NOT_ASKED
    return {feature: _availability(feature, probed) for feature in HOW}


def _availability(feature: str, probed: Probed) -> Availability:
    if probed.missing_features is None:
        return Availability(None, probed.why)
    has = feature not in probed.missing_features
    return Availability(has, HOW[feature][0 if has else 1])


@functools.cache
def engines_kernel(asking: Asking) -> Probed:
    """What the kernel of the local engine lacks; asked once for this process, and once for this boot where nothing is
    missing.
    """
    client = engine()
    try:
        key = kernel.identity(client)
        if key in _complete(asking):
            return Probed(frozenset())
        found = kernel.probe(client, asking.agent())
    except ProviderError as error:
        return Probed(None, error.message)
    finally:
        client.close()
    if found.missing_features == frozenset():
        write_private(asking.notes() / NOTE, json.dumps([key]))
    return found


def _complete(asking: Asking) -> list[str]:
    try:
        known = json.loads((asking.notes() / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [str(key) for key in known] if isinstance(known, list) else []
