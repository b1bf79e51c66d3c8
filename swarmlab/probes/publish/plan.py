"""What is tried from outside the Swarm: every published port at every host, ports that nobody publishes, and the
controls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from swarmlab.model.expectation import Expectation
from swarmlab.model.host import OUTSIDE
from swarmlab.model.kinds import ALLOW, DENY, Kind
from swarmlab.model.probe import Endpoint, PortInUse, Probe
from swarmlab.model.scenario import HOST, INGRESS
from swarmlab.probes.session.endpoints import EndpointIndex
from swarmlab.probes.session.ports import free_port
from swarmlab.scenario.derive_publish import UNUSED

MEASURED = ("tcp", "udp")
MOST_PORTS = 30  # of one run: a capture's filter has room for 64, and those inside the tasks are among them

ROOM = 62


@dataclass(frozen=True, kw_only=True)
class HostPort:
    """One port of one host, and whether it should be open. `tasks` are those that may answer, `inside` the port that
    they have it on.

    `said` names the port in ids: the number, or what stays the same when the number is the engine's choice or ours.
    """

    expectation: Expectation
    host: str
    protocol: str
    port: int
    expected: str
    because: str
    said: str
    mode: str = ""
    inside: int = 0
    tasks: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, int]:
        """Host, protocol and number: two host ports with the same key are one port."""
        return self.host, self.protocol, self.port


@dataclass(frozen=True)
class Unmeasured:
    """A part of an expectation that cannot be tried, and why."""

    expectation: Expectation
    reason: str


Tried = HostPort | Unmeasured


class HostPorts:
    """Expands expectations of kind publish over the hosts and tasks that exist."""

    def __init__(self, index: EndpointIndex, in_use: Sequence[PortInUse]) -> None:
        self._index, self._in_use = index, in_use
        self._hosts = [e.host for e in index.by_id.values() if e.role == "host"]

    def all(self, expectations: Iterable[Expectation]) -> list[Tried]:
        """Each port of each host once: what a person wrote first, then what should be open, then what should not."""
        found = [t for e in expectations if e.kind is Kind.PUBLISH for t in self._tried(e)]
        host_ports = sorted((t for t in found if isinstance(t, HostPort)), key=_rank)
        kept = sorted(
            {host_port.key: host_port for host_port in reversed(host_ports)}.values(),
            key=lambda d: (d.host, *_rank(d)),
        )
        late = set(sorted({host_port.port for host_port in kept})[MOST_PORTS:])
        over = dict.fromkeys(host_port.expectation for host_port in kept if host_port.port in late)
        missing = [t for t in found if isinstance(t, Unmeasured)]
        missing += [
            Unmeasured(e, f"one run tries {MOST_PORTS} different ports at most, and the file has more") for e in over
        ]
        return [*(host_port for host_port in kept if host_port.port not in late), *missing]

    def _tried(self, e: Expectation) -> Iterator[Tried]:
        if e.protocol not in MEASURED:
            yield Unmeasured(e, f"{e.protocol} is not measured, only {' and '.join(MEASURED)}")
            return
        if e.name in (INGRESS, HOST):
            yield from self._short(e)
            yield from self._mesh(e) if e.name == INGRESS else self._local(e)
            return
        port, said = (e.port, str(e.port)) if e.name != UNUSED else (self._unused(), UNUSED)
        for host in self._hosts:
            yield HostPort(
                expectation=e, host=host, protocol=e.protocol, port=port, expected=DENY, because=e.because, said=said
            )

    def _short(self, e: Expectation) -> Iterator[Unmeasured]:
        running, declared = len(self._index.of(e.target)), self._index.declared(e.target)
        if running < declared or not running:
            yield Unmeasured(e, f"only {running} of {declared} tasks of {e.target} are running")

    def _mesh(self, e: Expectation) -> Iterator[Tried]:
        """Ingress: the same on every host, by any task."""
        port = e.port or next((p.published for p in self._chosen(e) if not p.host), 0)
        if not port:
            what = f"{e.inside}/{e.protocol} of {e.target}"
            yield Unmeasured(e, f"the engine does not say which port it chose for {what}")
            return
        tasks = tuple(t.id for t in self._index.of(e.target))
        for host in self._hosts:
            yield _published(e, host, port, tasks=tasks)

    def _local(self, e: Expectation) -> Iterator[Tried]:
        """Host mode: where a task runs, by that task; nowhere else."""
        chosen = {p.host: p.published for p in self._chosen(e) if p.host}
        for host in self._hosts:
            tasks = tuple(t.id for t in self._index.of(e.target) if t.host == host)
            port = e.port or chosen.get(host, 0)
            if tasks and port:
                yield _published(e, host, port, tasks=tasks)
            elif tasks:
                what = f"{e.inside}/{e.protocol} of {e.target}"
                yield Unmeasured(e, f"the engine does not say which port of {host} it chose for {what}")
            else:
                yield from self._without_tasks(e, host, chosen)

    def _without_tasks(self, e: Expectation, host: str, chosen: Mapping[str, int]) -> Iterator[Tried]:
        """What the hosts with tasks publish must not answer on this one."""
        because = e.because if e.expected == DENY else f"{e.because}; no task of {e.target} runs on {host}"
        any_port = {f"any-{e.inside}-of-{other}": port for other, port in sorted(chosen.items())}
        for said, port in ({str(e.port): e.port} if e.port else any_port).items():
            yield replace(_published(e, host, port), expected=DENY, because=because, said=said)

    def _chosen(self, e: Expectation) -> Iterator[PortInUse]:
        return (p for p in self._in_use if (p.service, p.protocol, p.target) == (e.target, e.protocol, e.inside))

    def _unused(self) -> int:
        declared = {p.published for s in self._index.scenario.services.values() for p in s.ports}
        return free_port(declared | {p.published for p in self._in_use})


def _published(e: Expectation, host: str, port: int, *, tasks: tuple[str, ...] = ()) -> HostPort:
    """A port that a service publishes, on one host."""
    return HostPort(
        expectation=e,
        host=host,
        protocol=e.protocol,
        port=port,
        expected=e.expected,
        because=e.because,
        said=str(e.port) if e.port else f"any-{e.inside}",
        mode=e.name,
        inside=e.inside,
        tasks=tasks,
    )


def _rank(host_port: HostPort) -> tuple[bool, bool]:
    return (host_port.expectation.derived, host_port.expected != ALLOW)


def probe_of(id_: int, host_port: HostPort, addresses: dict[str, str]) -> Probe:
    """Its target is the host, whatever is behind the port: the host's own capture says whether the request arrived."""
    return Probe(
        id=id_,
        source=OUTSIDE,
        target=f"host:{host_port.host}",
        address=addresses[host_port.host],
        network="underlay",
        protocol=host_port.protocol,
        port=host_port.port,
        purpose="check",
        expectation=host_port.expectation,
    )


def controls(host_ports: Sequence[HostPort], first: int, port: int, addresses: dict[str, str]) -> list[Probe]:
    """By each protocol and at each host something of ours that must answer from outside: the agent's listener in the
    host's namespace.
    """
    wanted = dict.fromkeys((host_port.host, host_port.protocol) for host_port in host_ports)
    return [
        Probe(
            id=id_,
            source=OUTSIDE,
            target=f"host:{host}",
            address=addresses[host],
            network="underlay",
            protocol=protocol,
            port=port,
            purpose="control",
        )
        for id_, (host, protocol) in enumerate(wanted, first)
    ]


def inner_ports(host_ports: Sequence[HostPort], task: Endpoint) -> tuple[int, ...]:
    """The ports inside a task to which host ports should lead: the agent listens there where the application does
    not.
    """
    return tuple(sorted({host_port.inside for host_port in host_ports if task.id in host_port.tasks}))


def watched_ports(host_ports: Sequence[HostPort], in_use: Sequence[PortInUse], endpoint: Endpoint) -> tuple[int, ...]:
    """What an endpoint's capture looks for: every host port, and at a task whatever else the engine leads to it, as far
    as there is room.
    """
    tried = {host_port.port for host_port in host_ports}
    more = sorted({p.target for p in in_use if endpoint.service and p.service == endpoint.service} - tried)
    return (*sorted(tried), *more[: ROOM - len(tried) - len(inner_ports(host_ports, endpoint))]) if host_ports else ()
