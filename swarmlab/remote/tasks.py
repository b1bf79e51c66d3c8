"""The little of Fabric that `swarmlab.tasks` needs, typed: `remote` is the only room that imports it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NoReturn

import fabric
from invoke.exceptions import Exit

Context = fabric.Connection


def task(function: Callable[..., None]) -> Any:
    """Make it a Fabric task; its first parameter is the context."""
    return fabric.task(function)


def say(text: str) -> None:
    """One line for the person who runs `fab`."""
    sys.stdout.write(f"{text}\n")


def end(text: str, status: int) -> NoReturn:
    """End `fab` with a message and an exit status."""
    raise Exit(f"swarmlab: {text}", code=status)
