"""The lab's hosts, connected: one SSH connection and one engine client each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from swarmlab.engine.client import Engine
from swarmlab.model.host import Host
from swarmlab.remote import Remote, fan_out


@contextmanager
def connected(hosts: Sequence[Host], *, deadline: float = 30.0) -> Iterator[dict[str, Engine]]:
    """Every host's engine by name, in parallel; closed at the end. Raises HostError, or HostsError when several fail."""

    def connect(host: Host) -> Engine:
        remote = stack.enter_context(_closing(Remote(host)))
        remote.connect(deadline)
        return Engine(remote)

    with ExitStack() as stack:
        engines = fan_out({host.name: host for host in hosts}, connect)
        yield {host.name: engines[host.name] for host in hosts}


@contextmanager
def _closing(remote: Remote) -> Iterator[Remote]:
    try:
        yield remote
    finally:
        remote.close()
