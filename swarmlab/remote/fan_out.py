"""Many hosts at once: the one runner of threads."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar, cast

from swarmlab.errors import HostsError, SwarmlabError

T = TypeVar("T")
R = TypeVar("R")


def fan_out(items: Mapping[str, T] | Sequence[T], function: Callable[[T], R], *, workers: int = 16) -> dict[str, R]:
    """`function` of each item, in parallel; results by key (an item of a sequence: its `name`, a string itself), in the
    items' order.

    All failures are collected: one is raised as it is, several as HostsError. An interrupt ends at once and abandons
    what runs.
    """
    named = _named(items)
    todo: queue.SimpleQueue[str] = queue.SimpleQueue()
    for name in named:
        todo.put(name)
    done: queue.SimpleQueue[tuple[str, R | None, BaseException | None]] = queue.SimpleQueue()
    abandoned = threading.Event()
    for _ in range(min(workers, len(named))):
        # Daemon threads, unlike those of concurrent.futures: a hung host must not keep an interrupted program alive.
        threading.Thread(target=_work, args=(named, function, todo, done, abandoned), daemon=True).start()
    try:
        return _collect(named, done)
    finally:
        abandoned.set()


def _collect(names: Iterable[str], done: queue.SimpleQueue[tuple[str, R | None, BaseException | None]]) -> dict[str, R]:
    results: dict[str, R] = {}
    failures: dict[str, SwarmlabError] = {}
    for _ in names:
        name, result, error = done.get()
        if isinstance(error, SwarmlabError):
            failures[name] = error
        elif error is not None:
            raise error  # a fault of ours, not of a host, or an interrupt
        else:
            results[name] = cast(R, result)
    if len(failures) == 1:
        raise next(iter(failures.values()))
    if failures:
        raise HostsError({name: failures[name] for name in names if name in failures})
    return {name: results[name] for name in names}


def _named(items: Mapping[str, T] | Sequence[T]) -> dict[str, T]:
    if isinstance(items, Mapping):
        return dict(items)
    named = {
        item if isinstance(item, str) else str(getattr(item, "name", number)): item for number, item in enumerate(items)
    }
    if len(named) != len(items):
        raise ValueError(f"two items have one name: {sorted(named)}")
    return named


def _work(
    named: Mapping[str, T],
    function: Callable[[T], R],
    todo: queue.SimpleQueue[str],
    done: queue.SimpleQueue[tuple[str, R | None, BaseException | None]],
    abandoned: threading.Event,
) -> None:
    while not abandoned.is_set():
        try:
            name = todo.get_nowait()
        except queue.Empty:
            return
        try:
            done.put((name, function(named[name]), None))
        except BaseException as error:  # noqa: BLE001  # carried to the caller's thread and raised there
            done.put((name, None, error))
