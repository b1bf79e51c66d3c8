"""What the agent does for each request."""

from __future__ import annotations

import json
import os
import platform
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from swarmlab.agent import requests
from swarmlab.agent.kernel.features import missing_features
from swarmlab.agent.kernel.namespace import home
from swarmlab.agent.loop import Loop
from swarmlab.agent.probing.endpoint import Endpoint, close_all, open_endpoint
from swarmlab.agent.probing.mtu import measure_mtu
from swarmlab.agent.probing.scheduler import Scheduler
from swarmlab.agent.probing.seen import seen
from swarmlab.agent.protocol import VERSION
from swarmlab.agent.requests import BadRequest
from swarmlab.agent.serve import serve
from swarmlab.agent.wire.operations import Wire

Operation = Callable[[Mapping[str, Any]], "dict[str, object]"]


class Agent:
    """Answers requests. `ended`: nobody asks any more."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.ended = False
        self.endpoints: dict[str, Endpoint] = {}
        self.scheduler: Scheduler | None = None
        named = (self.hello, self.open, self.fire, self.seen, self.close, self.mtu)
        known: tuple[Operation, ...] = (*named, *Wire(loop).operations())
        self._operations = {operation.__name__: operation for operation in known}

    def answer(self, line: bytes) -> dict[str, object]:
        """One request, one answer; never raises for what the other side sent."""
        try:
            request = json.loads(line)
        except (ValueError, RecursionError) as error:
            return {"op": "error", "text": f"not JSON: {error}"}
        try:
            if not isinstance(request, dict):
                raise BadRequest("a request is a JSON object")
            return self._operation(request)(request)
        except BadRequest as error:
            return {"op": "error", "text": str(error)}
        except OSError as error:
            return {"op": "error", "text": f"the host refuses: {error}"}

    def _operation(self, request: Mapping[str, Any]) -> Operation:
        name = request.get("op")
        if not isinstance(name, str) or name not in self._operations:
            raise BadRequest(f"unknown op {str(name)[:40]!r}: expected one of {', '.join(self._operations)}")
        return self._operations[name]

    def hello(self, _request: Mapping[str, Any]) -> dict[str, object]:
        """Who we are and what this host's kernel cannot do."""
        return {
            "op": "hello",
            "version": VERSION,
            "python": platform.python_version(),
            "kernel": platform.release(),
            "lacks": missing_features(),
            "nofile": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        }

    def open(self, request: Mapping[str, Any]) -> dict[str, object]:
        """Listeners and captures in every endpoint's namespace; what was open before is closed."""
        run, port = requests.run(request), requests.port(request)
        specs = requests.specs(request, port)
        self.close(request)
        self.endpoints = {spec.id: open_endpoint(spec, self.loop, run, port) for spec in specs}
        self.scheduler = Scheduler(self.loop, self.endpoints, run, port, lambda: self.ended)
        return {"op": "open", "endpoints": [endpoint.answer() for endpoint in self.endpoints.values()]}

    def fire(self, request: Mapping[str, Any]) -> dict[str, object]:
        """All probes and names at once."""
        scheduler = self._opened()
        return scheduler.fire(requests.timeout(request), requests.probes(request), requests.names(request))

    def seen(self, request: Mapping[str, Any]) -> dict[str, object]:
        """The target's side."""
        return seen(self._opened(), requests.seen(request))

    def mtu(self, request: Mapping[str, Any]) -> dict[str, object]:
        """How large packets may be."""
        return measure_mtu(self._opened(), requests.timeout(request), requests.sizes(request))

    def close(self, _request: Mapping[str, Any]) -> dict[str, object]:
        """Every socket and namespace."""
        close_all(self.endpoints.values())
        self.endpoints, self.scheduler = {}, None
        return {"op": "close"}

    def _opened(self) -> Scheduler:
        if self.scheduler is None:
            raise BadRequest("nothing is open: send `open` first")
        return self.scheduler

    def idle(self) -> None:
        """Nothing to do for a moment."""
        if self.scheduler is not None:
            self.scheduler.drain()


def _complain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """One line instead of a traceback."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})" if trace is not None else ""
    sys.stderr.write(f"swarmlab agent: {kind.__name__}: {error}{place}\n")


def main() -> int:
    """Standard output is for answers alone: whatever else may be printed goes to standard error."""
    sys.excepthook = _complain
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if os.geteuid() != 0:
        sys.stderr.write("swarmlab agent: must run as root, to enter the namespaces of tasks\n")
        return 1
    sink = os.dup(1)
    os.dup2(2, 1)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    home()
    try:
        agent = Agent(Loop())
        serve(agent, agent.loop, 0, sink)
    except (BrokenPipeError, ConnectionResetError):
        return 0  # nobody listens any more
    return 0
