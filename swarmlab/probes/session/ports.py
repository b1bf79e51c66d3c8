"""The ports on which agents listen while something is measured."""

from __future__ import annotations

import secrets

# Below the range from which Linux takes ephemeral ports (32768-60999), above what applications like to listen on.
PORTS = range(20011, 32011)


def free_port(taken: set[int]) -> int:
    """A random port of the run's own, none of `taken`."""
    return next(p for p in iter(lambda: secrets.choice(PORTS), 0) if p not in taken)
