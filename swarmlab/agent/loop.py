"""One event loop: epoll and a table of what to call. Handlers must bear a call for nothing (descriptor numbers are
reused).
"""

from __future__ import annotations

import select
from collections.abc import Callable

Handler = Callable[[int], None]

IN = select.EPOLLIN
OUT = select.EPOLLOUT
EDGE = select.EPOLLET
BAD = select.EPOLLERR | select.EPOLLHUP


class Loop:
    """Hands each ready descriptor to its handler."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {}

    def add(self, fd: int, mask: int, handler: Handler) -> None:
        """Call `handler(events)` whenever `fd` is ready."""
        self._epoll.register(fd, mask)
        self._handlers[fd] = handler

    def forget(self, fd: int) -> None:
        """To be called before `fd` is closed; the kernel then drops it from the set by itself."""
        self._handlers.pop(fd, None)

    def turn(self, seconds: float) -> bool:
        """Wait at most `seconds`, serve what is ready; False when nothing was."""
        ready = self._epoll.poll(seconds, 512)
        for fd, events in ready:
            handler = self._handlers.get(fd)
            if handler is not None:
                handler(events)
        return bool(ready)

    def change(self, fd: int, mask: int, handler: Handler) -> None:
        """From now on wait for something else, and call somebody else."""
        self._epoll.modify(fd, mask)
        self._handlers[fd] = handler

    def remove(self, fd: int) -> None:
        """Stop watching a descriptor that stays open."""
        self._epoll.unregister(fd)
        self.forget(fd)
