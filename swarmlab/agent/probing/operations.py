"""The operations on this host's endpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from swarmlab.agent.loop import Loop
from swarmlab.agent.probing.endpoint import Endpoint, close_all, open_endpoint
from swarmlab.agent.probing.mtu import measure_mtu
from swarmlab.agent.probing.scheduler import Scheduler
from swarmlab.agent.probing.seen import seen
from swarmlab.agent.protocol.message import Refused, Request
from swarmlab.agent.protocol.mtu import Mtu, MtuAnswer
from swarmlab.agent.protocol.probing import (
    Close,
    CloseAnswer,
    Fire,
    FireAnswer,
    Open,
    OpenAnswer,
    Seen,
    SeenAnswer,
)


class Probing:
    """The endpoints that are open. `aborted` says that nobody waits for an answer any more."""

    def __init__(self, loop: Loop, aborted: Callable[[], bool]) -> None:
        self._loop, self._aborted = loop, aborted
        self._endpoints: dict[str, Endpoint] = {}
        self._scheduler: Scheduler | None = None

    def operations(self) -> dict[type[Request[Any]], Callable[[Any], object]]:
        """Which of them answers which request."""
        return {Open: self.open, Fire: self.fire, Seen: self.seen, Close: self.close, Mtu: self.mtu}

    def open(self, request: Open) -> OpenAnswer:
        """Listeners and captures in every endpoint's namespace; what was open before is closed."""
        self.close(Close())
        self._endpoints = {
            spec.id: open_endpoint(spec, self._loop, request.run, request.port) for spec in request.endpoints
        }
        self._scheduler = Scheduler(self._loop, self._endpoints, request.run, request.port, self._aborted)
        return OpenAnswer(tuple(endpoint.result() for endpoint in self._endpoints.values()))

    def fire(self, request: Fire) -> FireAnswer:
        """All probes and names at once."""
        return self._opened().fire(request)

    def seen(self, request: Seen) -> SeenAnswer:
        """What the targets' captures saw."""
        return seen(self._opened(), request)

    def mtu(self, request: Mtu) -> MtuAnswer:
        """How large packets may be."""
        return measure_mtu(self._opened(), request)

    def close(self, _request: Close) -> CloseAnswer:
        """Close every socket and namespace."""
        close_all(self._endpoints.values())
        self._endpoints, self._scheduler = {}, None
        return CloseAnswer()

    def _opened(self) -> Scheduler:
        if self._scheduler is None:
            raise Refused("nothing is open: send `open` first")
        return self._scheduler

    def idle(self) -> None:
        """Nothing to do for a moment."""
        if self._scheduler is not None:
            self._scheduler.drain()
