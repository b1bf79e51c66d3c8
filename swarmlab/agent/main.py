"""The agent's process: what it needs, which operation answers which request, and its end."""

from __future__ import annotations

import os
import platform
import resource
import signal
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from swarmlab.agent.kernel.features import missing_features
from swarmlab.agent.kernel.namespace import home
from swarmlab.agent.loop import Loop
from swarmlab.agent.probing.operations import Probing
from swarmlab.agent.protocol.codec import decode
from swarmlab.agent.protocol.message import ERROR, VERSION, ErrorAnswer, Refused, Request, pack, unpack
from swarmlab.agent.protocol.probing import Hello, HelloAnswer
from swarmlab.agent.protocol.readers import Misfit
from swarmlab.agent.serve import serve
from swarmlab.agent.wire.operations import Wire

Operation = Callable[[Any], object]


def hello(_request: Hello) -> HelloAnswer:
    """Who we are and what this host's kernel cannot do."""
    return HelloAnswer(
        VERSION,
        platform.python_version(),
        platform.release(),
        tuple(missing_features()),
        resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        time.time(),
    )


class Agent:
    """Answers requests. `ended` is set when nobody asks any more."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.ended = False
        self._probing = Probing(loop, lambda: self.ended)
        operations: dict[type[Request[Any]], Operation] = {
            Hello: hello,
            **self._probing.operations(),
            **Wire(loop).operations(),
        }
        self._operations = {request.op: (request, operation) for request, operation in operations.items()}

    def answer(self, line: bytes) -> bytes:
        """One request, one answer; never raises for what the other side sent."""
        try:
            kind, operation, body = self._requested(unpack(line))
            return pack(kind.op, operation(decode(kind, body)))
        except (Misfit, Refused) as error:
            return pack(ERROR, ErrorAnswer(str(error)))
        except (OSError, ValueError) as error:  # ValueError: a text that the kernel or a packet cannot hold
            return pack(ERROR, ErrorAnswer(f"the host refuses: {error}"))

    def _requested(self, message: object) -> tuple[type[Request[Any]], Operation, dict[str, Any]]:
        if not isinstance(message, dict):
            raise Refused("a request is a JSON object")
        op = message.pop("op", None)
        if not isinstance(op, str) or op not in self._operations:
            raise Refused(f"unknown op {str(op)[:40]!r}: expected one of {', '.join(self._operations)}")
        return (*self._operations[op], message)

    def idle(self) -> None:
        """Nothing to do for a moment."""
        self._probing.idle()


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
        return 0  # nobody reads the answers any more
    return 0
