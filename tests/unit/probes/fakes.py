"""Fake agents that speak the protocol over a pretended underlay. No sockets: they show what run and merge make of
answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from swarmlab.agent.protocol.message import VERSION, Request
from swarmlab.errors import HostError
from swarmlab.model.probe import Probe, ProbePlan

A = TypeVar("A")
Drop = Callable[[str, str], bool]


@dataclass
class World:
    """What the pretended network does: `drop(from host, to host)`, who leaks into whom, and what is wrong with whom."""

    plan: ProbePlan
    drop: Drop = lambda here, there: False
    leaks: frozenset[tuple[str, str]] = frozenset()
    dead_listeners: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def host(self, id_: str) -> str:
        return self.plan.endpoints[id_].host

    def fate(self, p: Probe) -> tuple[bool, bool]:
        """Whether the request arrives, and whether its answer gets back."""
        denied = (
            p.expectation is not None and p.expectation.expected == "deny" and (p.source, p.target) not in self.leaks
        )
        here, there = self.host(p.source), self.host(p.target)
        arrives = not denied and (here == there or not self.drop(here, there))
        return arrives, arrives and (
            here == there or not self.drop(there, here)
        ) and p.target not in self.dead_listeners


@dataclass
class FakeAgent:
    """One host's. `dies_at` is the op that kills it; `taken` how many of the first `open`s find the port in use."""

    host: str
    world: World
    dies_at: str = ""
    taken: int = 0
    gone: frozenset[str] = frozenset()
    garble: Callable[[dict[str, Any]], dict[str, Any]] = lambda answer: answer
    requests: list[dict[str, Any]] = field(default_factory=list)

    def request(self, message: Request[A], timeout: float) -> A:
        asked, op = json.loads(message.line()), message.op
        self.requests.append(asked)
        if op == self.dies_at or (self.dies_at and self.requests[0]["op"] == "dead"):
            raise HostError(self.host, "the agent ended: killed")
        return message.read(self.garble({"op": op, **getattr(self, op)(asked)}))

    def hello(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return {"version": VERSION, "missing_features": ["ip_vs"]}

    def open(self, message: Mapping[str, Any]) -> dict[str, Any]:
        self.taken -= 1
        why = "port_taken: in use" if self.taken >= 0 else ""
        entries = [
            {"id": e["id"], "error": "gone: no such process" if e["id"] in self.gone else why}
            for e in message["endpoints"]
        ]
        return {"endpoints": entries}

    def fire(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "probes": [self._fired(q["id"]) for q in message["probes"]],
            "names": [self._named(q) for q in message["names"]],
        }

    def _fired(self, id_: int) -> dict[str, Any]:
        p = self.world.plan.probes[id_]
        back = self.world.fate(p)[1]
        return {
            "id": id_, "outcome": "answered" if back else "timed_out",
            "responder": p.target if back and p.protocol != "icmp" else "", "latency_ms": 0.2 if back else None,
            "sport": 32768 + id_, "left": True, "asked": None, "via": "eth0", "sends": 1,
            "lost_records": 0, "detail": "",
        }  # fmt: skip

    def _named(self, question: Mapping[str, Any]) -> dict[str, Any]:
        known = self.world.names.get((question["source"], question["name"]))
        if known is None:
            own = question["source"].startswith(question["name"] + ".")
            known = tuple(question["accepted"][0]) if question["accepted"] else ("10.0.0.1",) if own else ()
        return {
            "id": question["id"],
            "outcome": "answered",
            "rcode": "NOERROR" if known else "NXDOMAIN",
            "addresses": list(known),
        }

    def seen(self, message: Mapping[str, Any]) -> dict[str, Any]:
        fates = {q["id"]: self.world.fate(self.world.plan.probes[q["id"]])[0] for q in message["probes"]}
        entries = [
            {"id": i, "seen": arrived, "answer_left": arrived, "lost_records": 0} for i, arrived in fates.items()
        ]
        return {
            "probes": entries,
            "listeners": {q["target"]: self.world.dead_listeners.get(q["target"], "") for q in message["probes"]},
        }

    def close(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    def ops(self) -> list[str]:
        return [str(m["op"]) for m in self.requests]


def agents(world: World, **special: FakeAgent) -> dict[str, FakeAgent]:
    return {h: special.get(h, FakeAgent(h, world)) for h in ("host1", "host2", "host3")}
