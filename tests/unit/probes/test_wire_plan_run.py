"""Which canaries are planned, and what becomes of agents' answers. Fake agents: no sockets."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from swarmlab.agent.protocol.message import Request
from swarmlab.agent.protocol.wire import WireStop
from swarmlab.errors import HostError
from swarmlab.model.kinds import ENCRYPTED
from swarmlab.model.wire import Capture, WireMeasurement, WirePlan
from swarmlab.probes.wire.answers import capture
from swarmlab.probes.wire.judge import judge_wire
from swarmlab.probes.wire.plan import unwitnessed_pairs
from swarmlab.probes.wire.run import wire_measure
from tests.unit.probes import labs, wires
from tests.unit.probes.fakes import A
from tests.unit.probes.wires import ADDRESSES, pair, planned


def test_every_overlay_is_tried_both_ways_with_a_canary_of_its_own() -> None:
    p = planned()
    assert [(x.network, x.direction, x.plain) for x in p.paths] == [
        ("plain-net", ("host1", "host2"), True), ("plain-net", ("host2", "host1"), True),
        ("secret-net", ("host1", "host2"), False), ("secret-net", ("host2", "host1"), False),
    ]  # fmt: skip
    texts = [text for x in p.paths for text in (x.canary, x.forged)]
    assert len(set(texts)) == len(texts)
    assert all(text.startswith(p.tag) and len(text) == len(p.tag) + 16 for text in texts)
    assert {x.vnis for x in p.paths} == {frozenset({4097}), frozenset({4098})}
    assert [x.network for x in p.guarded] == ["secret-net"] * 2


def test_what_the_engine_says_decides_what_is_plain() -> None:
    misspelt = (wires.NETWORKS[0], wires.network("secret-net", False))
    assert all(x.plain for x in planned(networks=misspelt).paths)
    assert len(planned(networks=misspelt).guarded) == 2, "it should be encrypted all the same"


def test_the_labs_own_overlay_is_tried_beside() -> None:
    controls = (labs.control("host1", "10.0.9.1"), labs.control("host2", "10.0.9.2"))
    networks = (*wires.NETWORKS, wires.network("swarmlab-control-lab", False))
    p = planned(pair(wires.BOTH[1]), (*wires.ENDPOINTS, *controls), networks)
    assert [(x.network, x.expectation is None) for x in p.paths if x.direction == ("host1", "host2")] == [
        ("secret-net", False), ("plain-net", True), ("swarmlab-control-lab", True),
    ]  # fmt: skip


def test_a_pair_without_a_plain_overlay_needs_the_labs_own() -> None:
    assert unwitnessed_pairs(pair(), wires.ENDPOINTS) == set()
    secret = tuple(labs.task(f"x.{i}", f"host{i}", (f"10.0.2.{i}", "secret-net")) for i in (1, 2))
    assert unwitnessed_pairs(pair(), secret) == {frozenset({"host1", "host2"})}
    expected = pair(wires.expect("plain-net", ENCRYPTED), wires.BOTH[1])
    assert unwitnessed_pairs(expected, wires.ENDPOINTS) == {frozenset({"host1", "host2"})}, "it cannot vouch for itself"


@dataclass
class Wire:
    """What the fake agents share."""

    plan: WirePlan
    sent: list[str] = field(default_factory=list)
    forged: list[str] = field(default_factory=list)
    kept: list[dict[str, Any]] = field(default_factory=list)
    capture_missed: bool = False


@dataclass
class FakeAgent:
    """Plain canaries arrive; encrypted ones vanish. `dies_at` is the op that kills it."""

    host: str
    wire: Wire
    dies_at: str = ""

    def request(self, message: Request[A], timeout: float) -> A:
        asked, op = json.loads(message.line()), message.op
        self.wire.kept.append({"host": self.host, **asked})
        if op == self.dies_at:
            raise HostError(self.host, "the agent ended: killed")
        return message.read({"op": op, **getattr(self, op)(asked)})

    def wire_start(self, message: Mapping[str, Any]) -> dict[str, Any]:
        own = {e.id: e for x in self.wire.plan.paths for e in (x.source, x.target)}
        hardware = {
            e["id"]: {a.address: "02:42:00:00:00:01" for a in own[e["id"]].addresses} for e in message["endpoints"]
        }
        interfaces = {"eth0": [f"{ADDRESSES[self.host]}/24"], "docker0": ["172.17.0.1/16"]}
        return {
            "error": "",
            "interfaces": interfaces,
            "endpoints": [{"id": i, "error": "", "hardware": h} for i, h in hardware.items()],
        }

    def wire_send(self, message: Mapping[str, Any]) -> dict[str, Any]:
        self.wire.sent += [
            x.name for x in self.wire.plan.paths for s in message["datagrams"] if x.canary in s["payload"]
        ]
        return {"errors": [""] * len(message["datagrams"])}

    def wire_inject(self, message: Mapping[str, Any]) -> dict[str, Any]:
        self.wire.forged += [
            x.forged_name for x in self.wire.plan.paths for f in message["frames"] if x.forged in f["payload"]
        ]
        return {"errors": [""] * len(message["frames"])}

    def _arrived(self) -> dict[str, dict[str, int]]:
        plain = [x for x in self.wire.plan.paths if x.plain and x.target.host == self.host]
        names = [
            (x.target.id, n)
            for x in plain
            for n in (x.name, x.forged_name)
            if n in (*self.wire.sent, *self.wire.forged)
        ]
        return {id_: {n: 3 for i, n in names if i == id_} for id_, _ in names}

    def wire_look(self, message: Mapping[str, Any]) -> dict[str, Any]:
        left = [
            x.name for x in self.wire.plan.paths if x.plain and x.source.host == self.host and x.name in self.wire.sent
        ]
        return {"left": [] if self.wire.capture_missed else left, "arrived": self._arrived()}

    def wire_stop(self, message: Mapping[str, Any]) -> dict[str, Any]:
        seen = [
            x for x in self.wire.plan.paths if x.plain and x.source.host == self.host and not self.wire.capture_missed
        ]
        where = {
            "interface": "eth0",
            "outgoing": True,
            "source": ADDRESSES[self.host],
            "kind": "vxlan",
            "number": 4097,
            "packets": 3,
        }
        canaries = [
            {
                "canary": x.name,
                "where": {**where, "target": ADDRESSES[x.target.host]},
                "excerpt": f"GET {x.canary}",
            }
            for x in seen
        ]
        return {
            "packets": 3, "drops": 0, "uncounted": 0, "complete": True,
            "counts": [{**where, "target": "172.30.0.2"}], "canaries": canaries, "arrived": self._arrived(),
            "capture_dropped": {}, "pcap": base64.b64encode(b"pcap").decode(), "left_out_of_pcap": 0,
        }  # fmt: skip

    def wire_state(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return {"states": [], "policies": [], "xfrm_error": "no", "rules": [], "forms": ["nft"], "errors": []}


MISSING = dict.fromkeys(ADDRESSES, ("esp",))


def run(**dying: str) -> tuple[Wire, WireMeasurement]:
    wire = Wire(planned())
    agents = {h: FakeAgent(h, wire, dying.get(h, "")) for h in ("host1", "host2")}
    return wire, wire_measure(wire.plan, agents, timeout=0.2, missing_features=MISSING, pcap_bytes=100)


def verdicts(wire: Wire, m: WireMeasurement) -> dict[str, str]:
    return {c.id: str(c.verdict) for c in judge_wire(pair(), wire.plan, m)}


def test_one_look() -> None:
    wire, m = run()
    assert set(verdicts(wire, m).values()) == {"pass", "inconclusive"}
    assert [v for k, v in verdicts(wire, m).items() if "plain" in k] == ["pass"] * 2
    assert m.addresses == {h: frozenset({ADDRESSES[h]}) for h in ("host1", "host2")}, (
        "an address that both have tells nobody apart"
    )
    assert m.pcaps == {"host1": b"pcap", "host2": b"pcap"}
    assert {"c0", "c1", "c0f", "c1f"} == m.arrived
    ops = [k["op"] for k in wire.kept if k["host"] == "host1"]
    assert ops.index("wire_stop") < ops.index("wire_inject"), "a forged frame must not be seen by the capture"
    assert ops.index("wire_start") < ops.index("wire_state") < ops.index("wire_send")
    frames = next(k["frames"] for k in wire.kept if k["op"] == "wire_inject" and k["host"] == "host1")
    assert [f["vni"] for f in frames] == [4098, 4097], "the plain one last: when it has come, the other had its chance"
    assert frames[0]["peer"] == ADDRESSES["host2"]


def test_canaries_that_cannot_come_are_not_waited_for() -> None:
    wire, _ = run()
    assert sorted(wire.sent) == ["c0", "c1", "c2", "c3"], "sent once: those that were hoped for came"


def test_a_host_that_dies_takes_only_its_own_evidence_along() -> None:
    for op in ("wire_start", "wire_send", "wire_look", "wire_stop", "wire_inject"):
        wire, m = run(host2=op)
        assert m.dead["host2"] == "host2: the agent ended: killed"
        found = verdicts(wire, m)
        assert "fail" not in found.values(), op
        assert found["wire:secret-net@host1->host2"] == "inconclusive"


def test_a_kernel_that_does_not_tell_does_not_end_the_look() -> None:
    wire, m = run(host1="wire_state")
    assert m.dead == {}
    assert verdicts(wire, m)["wire:plain-net@host1->host2"] == "pass"


def stopped(told: dict[str, Any]) -> Capture:
    return capture(WireStop().read(told))


def test_an_agent_that_talks_nonsense_saw_nothing_whole() -> None:
    assert not stopped({}).whole
    assert not stopped({"packets": 1, "drops": 0, "uncounted": 0, "complete": "yes"}).whole
    good: dict[str, Any] = {
        "packets": 1, "drops": 0, "uncounted": 0, "complete": True, "counts": [], "canaries": [],
        "arrived": {}, "capture_dropped": {}, "pcap": "", "left_out_of_pcap": 0,
    }  # fmt: skip
    assert stopped(good).whole
    assert not stopped({**good, "counts": [{"outgoing": "maybe", "kind": "esp"}]}).whole
    assert not stopped({**good, "canaries": [{"kind": "vxlan"}]}).whole
    assert not stopped({**good, "counts": "none"}).whole
