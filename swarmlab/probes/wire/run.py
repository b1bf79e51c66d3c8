"""One look at the wire: hosts capture while canaries pass; then forged frames are sent, which no task should get."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from swarmlab.agent.protocol.message import Request
from swarmlab.agent.protocol.probing import NamespaceSpec
from swarmlab.agent.protocol.wire import (
    UNTOLD,
    DatagramSpec,
    FrameSpec,
    SentAnswer,
    WireInject,
    WireLook,
    WireSend,
    WireStart,
    WireState,
    WireStop,
)
from swarmlab.errors import DeadlinePassed
from swarmlab.model.kinds import Kind
from swarmlab.model.wire import (
    Capture,
    KernelState,
    TunnelPath,
    WireMeasurement,
    WirePlan,
)
from swarmlab.probes.session.link import AgentLink, ask_all
from swarmlab.probes.wire.answers import capture, kernel_state
from swarmlab.remote.wait import until

A = TypeVar("A")
Spec = TypeVar("Spec", DatagramSpec, FrameSpec)

SLACK = 30.0  # seconds in which an agent must have answered
STATE_SLACK = 100.0  # an emulated host takes seconds for each listing of its rules
TIMES = 3  # datagrams and frames of each canary: one may be lost while a neighbour is being found
TRIES = 2
ESP = "esp"  # as agents name the feature


def wire_measure(
    plan: WirePlan,
    agents: Mapping[str, AgentLink],
    *,
    timeout: float,
    missing_features: Mapping[str, tuple[str, ...]],
    dead: Mapping[str, str] | None = None,
    pcap_bytes: int = 0,
) -> WireMeasurement:
    """Do what the plan says; never raises for a host that fails. `pcap_bytes` is how many bytes of packets each host
    keeps.
    """
    with ThreadPoolExecutor(max_workers=max(1, len(agents)), thread_name_prefix="wire") as pool:
        return WireRound(plan, agents, pool, timeout, missing_features, dict(dead or {})).all(pcap_bytes)


@dataclass
class WireRound:
    """The state of one look."""

    plan: WirePlan
    agents: Mapping[str, AgentLink]
    pool: ThreadPoolExecutor
    timeout: float
    missing_features: Mapping[str, tuple[str, ...]]
    dead: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)  # host -> why its underlay cannot be captured
    unsent: dict[str, str] = field(default_factory=dict)
    arrived: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    hardware: dict[tuple[str, str], str] = field(default_factory=dict)  # endpoint, address -> hardware address
    addresses: dict[str, frozenset[str]] = field(default_factory=dict)

    def all(self, pcap_bytes: int) -> WireMeasurement:
        """Look at the kernels, capture, send, look again, stop; then forge."""
        self._start(pcap_bytes)
        guarded = sorted({host for p in self.plan.guarded for host in p.direction})
        before = self._states(guarded)
        self._send()
        after = self._states(guarded, before)
        answers = self._everywhere({h: WireStop() for h in self.plan.hosts if not self.errors.get(h)})
        if guarded:
            self._forge()
        captures = {h: capture(a) for h, a in answers.items()}
        captures.update({h: Capture(error=self.errors[h]) for h in self.errors})
        return WireMeasurement(
            captures=captures,
            before=before,
            after=after,
            arrived=frozenset(self.arrived),
            unsent=self.unsent,
            capture_dropped=frozenset(id_ for a in answers.values() for id_ in a.capture_dropped),
            dead=self.dead,
            missing_features=dict(self.missing_features),
            addresses=self.addresses,
            pcaps={h: a.pcap for h, a in answers.items()} if pcap_bytes else {},
        )

    def _start(self, pcap_bytes: int) -> None:
        plan = self.plan
        canaries = {n: c for p in plan.paths for n, c in ((p.name, p.canary), (p.forged_name, p.forged))}
        for host in set(plan.hosts) - self.agents.keys():
            self.dead.setdefault(host, f"{host}: it has no agent")
        answers = self._everywhere(
            {
                h: WireStart(
                    plan.tag, plan.data_port, plan.port, canaries, pcap_bytes=pcap_bytes, endpoints=self._watched(h)
                )
                for h in plan.hosts
            }
        )
        own: dict[str, set[str]] = {}
        for host, answer in answers.items():
            if answer.error:
                self.errors[host] = answer.error
            own[host] = {a.partition("/")[0] for several in answer.interfaces.values() for a in several}
            self.hardware.update({(e.id, a): h for e in answer.endpoints for a, h in e.hardware.items()})
        # Container hosts share the addresses of their engines' bridges: those tell nobody apart.
        for host in plan.hosts:
            others = set().union(*(found for other, found in own.items() if other != host))
            self.addresses[host] = frozenset(own.get(host, set()) - others) | {plan.addresses.get(host, "")}

    def _watched(self, host: str) -> tuple[NamespaceSpec, ...]:
        ends = {end.id: end for p in self.plan.paths for end in (p.source, p.target) if end.host == host}
        return tuple(NamespaceSpec(e.id, e.pid, e.container, e.path) for e in ends.values())

    def _states(self, hosts: Sequence[str], known: Mapping[str, KernelState] | None = None) -> dict[str, KernelState]:
        """Where it is `known` which form of iptables holds the rules, the others are not listed again: emulated hosts
        are slow at it.
        """
        vnis = tuple(sorted({vni for p in self.plan.guarded for vni in p.vnis}))
        forms = {host: tuple(sorted({rule.form for rule in state.rules})) for host, state in (known or {}).items()}
        requests = {h: WireState(vnis, forms.get(h, ())) for h in hosts}
        answers = self._everywhere(requests, STATE_SLACK, fatal=False)
        return {host: kernel_state(answer) for host, answer in answers.items()}

    def _send(self) -> None:
        """Every canary at once; those that should have come and have not, once more."""
        hoped = [
            p
            for p in self.plan.paths
            if p.plain or not any(Kind.WIRE.row.feature in self.missing_features.get(h, ()) for h in p.direction)
        ]
        paths: Iterable[TunnelPath] = self.plan.paths
        for _ in range(TRIES):
            self._ask(paths, self._datagram, WireSend, lambda p: p.name)
            missing = self._wait(lambda: [p for p in hoped if p.name not in self.unsent and not self._passed(p)])
            paths = [p for p in self.plan.paths if p in missing]
            if not paths:
                return

    def _passed(self, p: TunnelPath) -> bool:
        return p.name in self.arrived and (not p.plain or p.name in self.left or p.source.host in self.errors)

    def _forge(self) -> None:
        """For every overlay that nobody may inject into, and plain ones last: where those arrive, forged frames
        could pass.
        """
        directions = {p.direction for p in self.plan.guarded}
        plain = [p for p in self.plan.paths if p.plain and p.direction in directions and p not in self.plan.guarded]
        for _ in range(TRIES):
            self._ask([*self.plan.guarded, *plain], self._frame, WireInject, lambda p: p.forged_name)
            if not self._wait(
                lambda: [p for p in plain if p.forged_name not in self.arrived and p.forged_name not in self.unsent]
            ):
                break
        self._look()  # once more: a forged frame may have come to a namespace just after that was looked at

    def _datagram(self, p: TunnelPath) -> DatagramSpec:
        payload = (
            f"GET /orders/{p.canary} HTTP/1.1\r\nHost: {p.target.service or p.target.id}\r\n"
            "Cookie: session=not-a-secret\r\n\r\n"
        )
        return DatagramSpec(p.source.id, p.to_address, payload, TIMES)

    def _frame(self, p: TunnelPath) -> FrameSpec | str:
        """A frame in clear as the sender's own overlay would send it, or why there can be none."""
        from_hardware = self.hardware.get((p.source.id, p.from_address))
        to_hardware = self.hardware.get((p.target.id, p.to_address))
        if not p.vnis:
            return "the VNI is not known"
        if from_hardware is None or to_hardware is None:
            return "the tasks' hardware addresses are not known"
        return FrameSpec(
            self.plan.addresses.get(p.target.host, ""), self.plan.data_port, min(p.vnis), from_hardware, to_hardware,
            p.from_address, p.to_address, self.plan.port, f"GET /forged/{p.forged}", TIMES,
        )  # fmt: skip

    def _ask(
        self,
        paths: Iterable[TunnelPath],
        entry: Callable[[TunnelPath], Spec | str],
        request: Callable[[tuple[Spec, ...]], Request[SentAnswer]],
        name: Callable[[TunnelPath], str],
    ) -> None:
        """Have each sender's host send; note what could not be sent. The last try counts."""
        asked: dict[str, list[tuple[str, Spec]]] = {}
        for p in paths:
            made = entry(p)
            if isinstance(made, str):
                self.unsent[name(p)] = made
            else:
                asked.setdefault(p.source.host, []).append((name(p), made))
        answers = self._everywhere({h: request(tuple(made for _, made in several)) for h, several in asked.items()})
        for host, several in asked.items():
            errors: Sequence[str] = answers[host].errors if host in answers else ()
            if len(errors) != len(several):
                errors = [self.dead.get(host, UNTOLD)] * len(several)
            for (name_, _), error in zip(several, errors, strict=True):
                self.unsent.pop(name_, None)
                if error:
                    self.unsent[name_] = error

    def _wait(self, missing: Callable[[], list[TunnelPath]]) -> list[TunnelPath]:
        """Look until nothing is missing or the deadline has passed; what is still missing then."""

        def done() -> bool:
            self._look()
            return not missing()

        with contextlib.suppress(DeadlinePassed):
            until(done, "every canary has come", self.timeout / TRIES, 0.02)
        return missing()

    def _look(self) -> None:
        targets = {name: p.target.id for p in self.plan.paths for name in (p.name, p.forged_name)}
        for answer in self._everywhere(dict.fromkeys(self.plan.hosts, WireLook())).values():
            self.left.update(answer.left)
            for id_, names in answer.arrived.items():
                self.arrived.update(name for name in names if targets.get(name) == id_)

    def _everywhere(
        self, requests: Mapping[str, Request[A]], timeout: float = SLACK, *, fatal: bool = True
    ) -> dict[str, A]:
        """One request per living host, all at once. A host that fails is dead from then on, if that is `fatal`."""
        alive = {h: m for h, m in requests.items() if h in self.agents and h not in self.dead}
        answers, failed = ask_all(self.pool, self.agents, alive, timeout)
        self.dead.update(failed if fatal else {})
        return answers
