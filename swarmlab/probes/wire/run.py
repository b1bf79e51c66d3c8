"""One look at the wire: all hosts capture while all canaries pass; then frames are forged, to see that nobody takes
them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from swarmlab.errors import DeadlinePassed
from swarmlab.model.wire import Capture, KernelState, TunnelPath, WireMeasurement, WirePlan
from swarmlab.probes.session.link import AgentLink, Answer, Message, ask_all
from swarmlab.probes.wire import read
from swarmlab.remote.wait import until

SLACK = 30.0  # seconds in which an agent must have answered
STATE_SLACK = 100.0  # an emulated host takes seconds for each listing of its rules
TIMES = 3  # datagrams and frames of each canary: one may be lost while a neighbour is being found
TRIES = 2
LACK = "esp"


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
        run = WireRound(plan, agents, pool, timeout, missing_features, dict(dead or {}))
        return run.all(pcap_bytes)


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
        answers = self._everywhere({h: {"op": "wire_stop"} for h in self.plan.hosts if not self.errors.get(h)})
        if guarded:
            self._forge()
        captures = {h: read.capture(a) for h, a in answers.items()}
        captures.update({h: Capture(error=self.errors[h]) for h in self.errors})
        capture_dropped = {str(id_) for a in answers.values() for id_ in (a.get("deaf") or {})}
        return WireMeasurement(
            captures, before, after, frozenset(self.arrived), self.unsent, frozenset(capture_dropped), self.dead, dict(self.missing_features), self.addresses,
            {h: read.pcap(a) for h, a in answers.items()} if pcap_bytes else {},
        )  # fmt: skip

    def _start(self, pcap_bytes: int) -> None:
        names = {n: c for p in self.plan.paths for n, c in ((p.name, p.canary), (p.forged_name, p.forged))}
        head = {
            "op": "wire_start",
            "data_port": self.plan.data_port,
            "port": self.plan.port,
            "mark": self.plan.mark,
            "film": pcap_bytes,
        }
        for host in set(self.plan.hosts) - self.agents.keys():
            self.dead.setdefault(host, f"{host}: it has no agent")
        answers = self._everywhere(
            {h: {**head, "canaries": names, "endpoints": self._watched(h)} for h in self.plan.hosts}
        )
        own: dict[str, set[str]] = {}
        for host, answer in answers.items():
            if answer.get("error"):
                self.errors[host] = str(answer["error"])[:300]
            own[host] = {
                str(a).partition("/")[0] for several in (answer.get("interfaces") or {}).values() for a in several
            }
            for entry in answer.get("endpoints") or []:
                for address, hardware in (entry.get("hardware") or {}).items():
                    self.hardware[str(entry.get("id")), str(address)] = str(hardware)
        for (
            host
        ) in self.plan.hosts:  # container hosts share the addresses of their engines' bridges: those tell nobody apart
            others = set().union(*(found for other, found in own.items() if other != host))
            self.addresses[host] = frozenset(own.get(host, set()) - others) | {self.plan.addresses.get(host, "")}

    def _watched(self, host: str) -> list[dict[str, object]]:
        ends = {end.id: end for p in self.plan.paths for end in (p.source, p.target) if end.host == host}
        return [{"id": e.id, "pid": e.pid, "container": e.container, "path": e.path} for e in ends.values()]

    def _states(self, hosts: Sequence[str], known: Mapping[str, KernelState] | None = None) -> dict[str, KernelState]:
        """Where it is `known` which form of iptables holds the rules, the others are not listed again: emulated hosts
        are slow at it.
        """
        vnis = sorted({vni for p in self.plan.guarded for vni in p.vnis})
        forms = {host: sorted({rule.form for rule in state.rules}) for host, state in (known or {}).items()}
        requests = {h: {"op": "wire_state", "vnis": vnis, "forms": forms.get(h, [])} for h in hosts}
        answers = self._everywhere(requests, STATE_SLACK, fatal=False)
        return {host: read.kernel_state(answer) for host, answer in answers.items()}

    def _send(self) -> None:
        """Every canary at once; those that should have come and have not, once more."""
        hoped = [
            p
            for p in self.plan.paths
            if p.plain or not any(LACK in self.missing_features.get(h, ()) for h in p.direction)
        ]
        paths: Iterable[TunnelPath] = self.plan.paths
        for _ in range(TRIES):
            self._ask(paths, "wire_send", "sends", self._datagram, lambda p: p.name)
            missing = self._wait(lambda: [p for p in hoped if p.name not in self.unsent and not self._passed(p)])
            paths = [p for p in self.plan.paths if p in missing]
            if not paths:
                return

    def _passed(self, p: TunnelPath) -> bool:
        return p.name in self.arrived and (not p.plain or p.name in self.left or p.source.host in self.errors)

    def _forge(self) -> None:
        """For every overlay that nobody may inject into, and plain ones last: where those arrive, the way for forgeries
        was open.
        """
        directions = {p.direction for p in self.plan.guarded}
        plain = [p for p in self.plan.paths if p.plain and p.direction in directions and p not in self.plan.guarded]
        for _ in range(TRIES):
            self._ask([*self.plan.guarded, *plain], "wire_inject", "frames", self._frame, lambda p: p.forged_name)
            if not self._wait(
                lambda: [p for p in plain if p.forged_name not in self.arrived and p.forged_name not in self.unsent]
            ):
                break
        self._look()  # once more: one forged before the last plain one may have come to a namespace just after it was looked at

    def _datagram(self, p: TunnelPath) -> dict[str, object] | str:
        payload = f"GET /orders/{p.canary} HTTP/1.1\r\nHost: {p.target.service or p.target.id}\r\nCookie: session=not-a-secret\r\n\r\n"
        return {"from": p.source.id, "address": p.to_address, "payload": payload, "times": TIMES}

    def _frame(self, p: TunnelPath) -> dict[str, object] | str:
        """A frame in clear as the sender's own overlay would send it, or why there can be none."""
        hardware = [self.hardware.get(end) for end in ((p.source.id, p.from_address), (p.target.id, p.to_address))]
        if not p.vnis or None in hardware:
            return "the VNI is not known" if not p.vnis else "the tasks' hardware addresses are not known"
        return {
            "peer": self.plan.addresses.get(p.target.host, ""), "data_port": self.plan.data_port, "vni": min(p.vnis),
            "from_hardware": hardware[0], "to_hardware": hardware[1], "from_address": p.from_address, "to_address": p.to_address,
            "port": self.plan.port, "payload": f"GET /forged/{p.forged}", "times": TIMES,
        }  # fmt: skip

    def _ask(
        self,
        paths: Iterable[TunnelPath],
        op: str,
        key: str,
        entry: Callable[[TunnelPath], dict[str, object] | str],
        name: Callable[[TunnelPath], str],
    ) -> None:
        """Have each sender's host send; note what could not be sent. The last try counts."""
        asked: dict[str, list[tuple[str, dict[str, object]]]] = {}
        for p in paths:
            made = entry(p)
            if isinstance(made, str):
                self.unsent[name(p)] = made
            else:
                asked.setdefault(p.source.host, []).append((name(p), made))
        answers = self._everywhere({h: {"op": op, key: [made for _, made in several]} for h, several in asked.items()})
        for host, several in asked.items():
            told = (answers.get(host) or {}).get("errors")
            errors = (
                told
                if isinstance(told, list) and len(told) == len(several)
                else [self.dead.get(host, "its agent did not say")] * len(several)
            )
            for (name_, _), error in zip(several, errors, strict=True):
                self.unsent.pop(name_, None)
                if error:
                    self.unsent[name_] = str(error)[:300]

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
        for answer in self._everywhere({h: {"op": "wire_look"} for h in self.plan.hosts}).values():
            self.left.update(map(str, answer.get("left") or ()))
            for id_, names in read.arrived(answer).items():
                self.arrived.update(name for name in names if targets.get(name) == id_)

    def _everywhere(
        self, requests: Mapping[str, Message], timeout: float = SLACK, *, fatal: bool = True
    ) -> dict[str, Answer]:
        """One request per living host, all at once; a host that fails is dead from then on, unless only its kernel was
        asked.
        """
        alive = {h: m for h, m in requests.items() if h in self.agents and h not in self.dead}
        answers, failed = ask_all(self.pool, self.agents, alive, timeout)
        self.dead.update(failed if fatal else {})
        return answers
