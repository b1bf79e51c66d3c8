"""One endpoint: a namespace with our listeners and our capture in it."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from swarmlab.agent.kernel import netlink
from swarmlab.agent.kernel.namespace import Gone, Namespace, open_namespace
from swarmlab.agent.loop import Loop
from swarmlab.agent.probing.capture import Capture
from swarmlab.agent.probing.listen import TcpListener, UdpListener
from swarmlab.agent.protocol.probing import EndpointResult, EndpointSpec


class Listener(Protocol):
    """Anything that listens until it is closed."""

    def close(self) -> None:
        """Stop listening."""


_AT_ONCE = 16  # captures that are closed at once
_KINDS = (("tcp", TcpListener), ("udp", UdpListener))


@dataclass
class Endpoint:
    """`error` is "" while it can be used."""

    spec: EndpointSpec
    ports: tuple[int, ...] = ()
    error: str = ""
    namespace: Namespace | None = None
    capture: Capture | None = None
    listeners: list[Listener] = field(default_factory=list)
    interfaces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    extra_ports: dict[str, str] = field(default_factory=dict)

    def gone(self) -> str:
        """Why nothing can be sent from here or heard here any more, "" when it is well."""
        if self.error or self.namespace is None:
            return self.error
        try:
            self.namespace.check()
        except Gone as reason:
            return f"gone: {reason}"
        return ""

    def close(self) -> None:
        """Close every socket and let go of the namespace."""
        for listener in self.listeners:
            listener.close()
        if self.capture is not None:
            self.capture.close()
        if self.namespace is not None:
            self.namespace.close()
        self.listeners, self.capture, self.namespace = [], None, None

    def result(self) -> EndpointResult:
        """What became of it."""
        return EndpointResult(self.spec.id, self.error, self.interfaces, self.extra_ports)


def open_endpoint(spec: EndpointSpec, loop: Loop, run: str, port: int) -> Endpoint:
    """Never raises: what went wrong is the endpoint's `error`."""
    spec = _distinct(spec, port)
    endpoint = Endpoint(spec, (port, *spec.extra_ports, *spec.watched))
    try:
        endpoint.namespace = open_namespace(spec.pid, spec.container, spec.path)
        with endpoint.namespace.entered():
            _furnish(endpoint, loop, run, port)
    except Gone as reason:
        endpoint.error = f"gone: {reason}"
    except _Taken as reason:
        endpoint.error = f"port_taken: {reason}"
    except (OSError, ValueError) as error:
        endpoint.error = f"failed: {error}"
    if endpoint.error:
        endpoint.close()
    return endpoint


def _distinct(spec: EndpointSpec, port: int) -> EndpointSpec:
    """Each port once: the run's own, then those listened on, then those watched."""
    extra = {*spec.extra_ports} - {port}
    watched = {*spec.watched} - extra - {port}
    return replace(spec, extra_ports=tuple(sorted(extra)), watched=tuple(sorted(watched)))


def close_all(endpoints: Iterable[Endpoint]) -> None:
    """Close every one; their captures in threads, since the kernel takes 10 ms for each, until no processor uses it."""
    endpoints = list(endpoints)
    captures = deque(endpoint.capture for endpoint in endpoints if endpoint.capture is not None)

    def work() -> None:
        with contextlib.suppress(IndexError):  # none is left
            while True:
                captures.popleft().close()

    closers = [threading.Thread(target=work) for _ in range(min(_AT_ONCE, len(captures)))]
    for closer in closers:
        closer.start()
    for closer in closers:
        closer.join()
    for endpoint in endpoints:
        endpoint.close()


class _Taken(Exception):
    """Another process listens on the run's port."""


def _furnish(endpoint: Endpoint, loop: Loop, run: str, port: int) -> None:
    endpoint.interfaces = netlink.interfaces()
    endpoint.capture = Capture(run, endpoint.ports, endpoint.spec.buffer)
    taken = _listen(endpoint, loop, run, port)
    if taken:
        raise _Taken(f"{' and '.join(taken)} port {port} is in use in the namespace of {endpoint.spec.id}")
    for extra in endpoint.spec.extra_ports:
        endpoint.extra_ports[str(extra)] = "taken" if _listen(endpoint, loop, run, extra) else "ours"


def _listen(endpoint: Endpoint, loop: Loop, run: str, port: int) -> Sequence[str]:
    """Listen by TCP and UDP on every address; returns the protocols whose port somebody else has."""
    taken = []
    for name, kind in _KINDS:
        try:
            endpoint.listeners.append(kind(loop, socket.AF_INET, port, run, endpoint.spec.id))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            taken.append(name)
            continue
        _listen_v6(endpoint, loop, run, port, kind)
    return taken


def _listen_v6(
    endpoint: Endpoint, loop: Loop, run: str, port: int, kind: type[TcpListener] | type[UdpListener]
) -> None:
    """Where the namespace has IPv6 addresses. When it refuses, the probes to those will say so themselves."""
    if not any(":" in address for addresses in endpoint.interfaces.values() for address in addresses):
        return
    with contextlib.suppress(OSError):
        endpoint.listeners.append(kind(loop, socket.AF_INET6, port, run, endpoint.spec.id))
