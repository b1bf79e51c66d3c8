"""Waiting for a named condition: the one place in the program that sleeps between two looks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from swarmlab.errors import DeadlinePassed

T = TypeVar("T")


def _nothing() -> str:
    return ""


def until(
    condition: Callable[[], T | None],
    what: str,
    timeout: float,
    interval: float = 0.05,
    last: Callable[[], str] = _nothing,
) -> T:
    """The first value of `condition` that is neither None nor False; looks every `interval` seconds.

    Raises DeadlinePassed after `timeout` seconds, with `what` was waited for and the state last seen, `last()`.

    >>> until(lambda: 7, "seven", 1)
    7
    """
    deadline = time.monotonic() + timeout
    while True:
        begun = time.monotonic()
        value = condition()
        if value is not None and value is not False:
            return value
        now = time.monotonic()
        left = deadline - now
        if left <= 0:
            seen = last()
            raise DeadlinePassed(f"not so within {timeout:g} s: {what}" + (f"; last seen: {seen}" if seen else ""))
        # A slow (emulated) host is not kept busy with answering us.
        time.sleep(min(max(interval, min(2 * (now - begun), 1.0)), left))
