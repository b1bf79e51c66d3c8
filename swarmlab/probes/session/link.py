"""A conversation with one host's agent: a request down, one answer up. What goes wrong is a HostError that says what to
do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from swarmlab.agent.protocol.bounds import MAX_LINE
from swarmlab.agent.protocol.codec import decode
from swarmlab.agent.protocol.message import ERROR, VERSION, ErrorAnswer, Request, unpack
from swarmlab.agent.protocol.probing import Hello, HelloAnswer
from swarmlab.agent.protocol.readers import Misfit
from swarmlab.errors import HostError, SwarmlabError

A = TypeVar("A")

# What a host's Python complains of -> what to do about it.
FIXES = (
    (
        "No module named",
        "its Python lacks parts of the standard library: install the package python3 (python3-minimal is not enough)",
    ),
    ("not found", "install the package python3 on that host"),
    ("No such file", "install the package python3 on that host"),
    ("Permission denied", "log in as root, or as a user who may use sudo without a password"),
)


class AgentLink(Protocol):
    """One host's agent. Raises HostError when the agent or its host does not answer as it should."""

    def request(self, message: Request[A], timeout: float) -> A:
        """Ask, and wait at most `timeout` seconds for the answer; what is odd about it is "not known"."""


class Session(Protocol):
    """A process on a host with its standard streams, as `remote` gives it; `command` is what its errors call it."""

    command: str

    def write(self, data: bytes) -> None:
        """To its standard input."""

    def read_line(self, timeout: float, limit: int) -> bytes:
        """The next line of its standard output, of at most `limit` bytes; b"" when that has ended."""

    def stderr(self) -> str:
        """What it has complained about so far."""

    def close(self) -> None:
        """End it."""


class SessionLink:
    """An agent at the other end of a session. After one failure every request fails: a late answer must not pass for
    the next one's.
    """

    def __init__(self, host: str, session: Session) -> None:
        self.host = host
        self.hello = HelloAnswer()
        self._session = session
        self._broken = ""

    @classmethod
    def start(
        cls,
        host: str,
        open_session: Callable[[list[str]], Session],
        *,
        timeout: float = 30.0,
        archive: bytes | None = None,
        argv: list[str] | None = None,
    ) -> SessionLink:
        """Send the agent down a new session and hear that it is there, in our version. `archive` and `argv` default to
        the bundle's.
        """
        from swarmlab.probes.session import bundle  # read only when an agent is sent

        code = bundle.agent_archive() if archive is None else archive
        link = cls(host, open_session(bundle.bootstrap(len(code)) if argv is None else argv))
        link._put(code)
        link.hello = link.request(Hello(), timeout)
        if link.hello.version != VERSION:
            link.close()
            raise HostError(host, f"the agent there speaks version {link.hello.version}, expected {VERSION}")
        return link

    def request(self, message: Request[A], timeout: float) -> A:
        """Ask, and wait at most `timeout` seconds for the answer; what is odd about it is "not known"."""
        if self._broken:
            raise HostError(self.host, self._broken)
        self._put(message.line())
        try:
            line = self._session.read_line(timeout, MAX_LINE)
        except HostError as error:
            raise self._failed(self._renamed(error), error.fix) from error
        except TimeoutError as error:
            raise self._failed(f"the agent did not answer `{message.op}` within {timeout:.0f} s") from error
        except (OSError, EOFError) as error:
            raise self._failed(f"the agent cannot be heard: {error}") from error
        if not line:
            raise self._failed(f"the agent ended: {self._complaint()}")
        return self._parsed(line, message)

    def close(self) -> None:
        """End the session, and with it the agent."""
        self._broken = self._broken or "the agent was told to end"
        self._session.close()

    def _put(self, data: bytes) -> None:
        try:
            self._session.write(data)
        except HostError as error:
            raise self._failed(self._renamed(error), error.fix) from error
        except (OSError, EOFError) as error:
            raise self._failed(f"the agent cannot be spoken to: {self._complaint() or error}") from error

    def _parsed(self, line: bytes, message: Request[A]) -> A:
        try:
            told = unpack(line)
        except Misfit as error:
            raise self._failed("the agent answered something that is not JSON") from error
        if not isinstance(told, dict) or told.get("op") not in (message.op, ERROR):
            raise self._failed(f"the agent answered something else than `{message.op}`")
        if told["op"] == ERROR:
            # The conversation is still in step: only this request failed.
            reason = decode(ErrorAnswer, told, strict=False).text
            raise HostError(self.host, f"the agent cannot do `{message.op}`: {reason}")
        return message.read(told)

    def _complaint(self) -> str:
        return "\n".join(self._session.stderr().strip().splitlines()[-6:])[-1000:] or "it said nothing"

    def _renamed(self, error: HostError) -> str:
        """The session calls the agent by its whole command, which is a program: nobody wants to read that."""
        return error.message.removeprefix(f"{error.host}: ").replace(f"`{self._session.command}`", "the agent")

    def _failed(self, reason: str, fix: str = "") -> HostError:
        said = self._complaint()
        self._broken = reason
        self._session.close()
        return HostError(self.host, reason, fix=next((known for sign, known in FIXES if sign in said), fix))


def ask_all(
    pool: ThreadPoolExecutor, agents: Mapping[str, AgentLink], requests: Mapping[str, Request[A]], timeout: float
) -> tuple[dict[str, A], dict[str, str]]:
    """One request per host, all at once: the answers, and why the others gave none."""
    futures = {host: pool.submit(agents[host].request, message, timeout) for host, message in requests.items()}
    answers: dict[str, A] = {}
    failed: dict[str, str] = {}
    for host, future in futures.items():
        try:
            answers[host] = future.result()
        except (SwarmlabError, OSError) as error:
            failed[host] = error.message if isinstance(error, HostError) else f"{host}: {error}"
    return answers, failed
