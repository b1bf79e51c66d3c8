"""The agent's life: read a request, answer it, in order; in between serve the listeners; end when standard input
ends.
"""

from __future__ import annotations

import os
import time
from collections import deque
from typing import Protocol

from swarmlab.agent.loop import IN, OUT, Loop
from swarmlab.agent.protocol.bounds import MAX_LINE

LIFETIME = 15 * 60.0  # seconds without a request, after which nobody is thought to be there any more
_TICK = 0.1
_CHUNK = 1 << 16
_LAST_WORDS = 5.0  # seconds to get rid of the last answer once the input has ended


class Servant(Protocol):
    """Answers lines. `ended` tells it that nobody asks any more."""

    ended: bool

    def answer(self, line: bytes) -> bytes:
        """The answer to one request, as a line."""

    def idle(self) -> None:
        """Called when there is nothing to do for a moment."""


class Input:
    """Standard input, line by line, without ever waiting for it."""

    def __init__(self, servant: Servant, loop: Loop, fd: int) -> None:
        self.lines: deque[bytes] = deque()
        self._servant, self._loop, self._fd, self._partial = servant, loop, fd, bytearray()
        loop.add(fd, IN, self._ready)

    def _ready(self, _events: int) -> None:
        try:
            data = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return
        *whole, rest = data.split(b"\n")
        for part in whole:
            self.lines.append(bytes(self._partial) + part)
            self._partial.clear()
        self._partial += rest
        if not data or len(self._partial) > MAX_LINE:
            self._servant.ended = True
            self._loop.remove(self._fd)


class Output:
    """Standard output. Nothing waits for its reader, so that a slow one cannot keep the listeners from answering."""

    def __init__(self, loop: Loop, fd: int) -> None:
        self._loop, self._fd, self._left = loop, fd, bytearray()
        os.set_blocking(fd, False)

    @property
    def pending(self) -> bool:
        """Something has not been taken yet."""
        return bool(self._left)

    def write(self, data: bytes) -> None:
        """Raises BrokenPipeError, here or from the loop, when nobody reads any more."""
        idle = not self._left
        self._left += data
        self._push()
        if idle and self._left:
            self._loop.add(self._fd, OUT, self._ready)

    def _ready(self, _events: int) -> None:
        self._push()
        if not self._left:
            self._loop.remove(self._fd)

    def _push(self) -> None:
        try:
            while self._left:
                del self._left[: os.write(self._fd, self._left[:_CHUNK])]
        except BlockingIOError:
            return


def serve(servant: Servant, loop: Loop, source: int, sink: int) -> None:
    """Until the input ends, or nobody has asked for a quarter of an hour."""
    requests, answers, last = Input(servant, loop, source), Output(loop, sink), time.monotonic()
    while requests.lines or not (servant.ended or time.monotonic() - last > LIFETIME):
        if requests.lines:
            line = requests.lines.popleft()
            if line.strip():
                answers.write(servant.answer(line))
            last = time.monotonic()
        elif not loop.turn(_TICK):
            servant.idle()
    until = time.monotonic() + _LAST_WORDS
    while answers.pending and time.monotonic() < until:
        loop.turn(_TICK)
