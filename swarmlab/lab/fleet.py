"""The lab's hosts, connected: one SSH connection and one engine client each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType

from swarmlab.engine.client import Engine, answering
from swarmlab.model.host import OUTSIDE, Host
from swarmlab.remote import Remote, fan_out

PATIENCE = 60.0  # seconds for a host that has just been started; two or three on an idle machine


class Fleet:
    """Connections that are made once and kept to the end of the block."""

    def __init__(self, deadline: float = 30.0) -> None:
        self._deadline = deadline
        self._engines: dict[Host, Engine] = {}
        self._closing = ExitStack()

    def greet(self, host: Host) -> None:
        """Wait until a host that has just been started answers, and keep its connection. Raises HostError or
        DeadlinePassed.
        """
        remote = self._connected(host, PATIENCE)
        if host.name != OUTSIDE:
            self._engines[host] = answering(remote, PATIENCE)

    def engines(self, hosts: Sequence[Host]) -> dict[str, Engine]:
        """Every host's engine by name, connected in parallel. Raises HostError, or HostsError when several fail."""
        return fan_out({host.name: host for host in hosts}, self._engine)

    def _engine(self, host: Host) -> Engine:
        return self._engines.get(host) or Engine(self._connected(host, self._deadline))

    def _connected(self, host: Host, seconds: float) -> Remote:
        remote = Remote(host)
        self._closing.callback(remote.close)
        remote.connect(seconds)
        return remote

    def __enter__(self) -> Fleet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()


@contextmanager
def connected(hosts: Sequence[Host], *, deadline: float = 30.0) -> Iterator[dict[str, Engine]]:
    """Every host's engine by name; closed at the end. Raises HostError, or HostsError when several fail."""
    with Fleet(deadline) as fleet:
        yield fleet.engines(hosts)
