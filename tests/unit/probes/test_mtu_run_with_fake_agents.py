"""What becomes of the agents' answers about sizes: each speaks for its own host, and nonsense passes nothing. Fakes, no
sockets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from swarmlab.agent.protocol.message import Request
from swarmlab.errors import HostError
from swarmlab.model.check import Verdict
from swarmlab.model.mtu import MtuMeasurement
from swarmlab.probes.mtu.facts import Sizes
from swarmlab.probes.mtu.judge import size_checks
from swarmlab.probes.mtu.run import BULK, measure_sizes
from tests.unit.probes.fakes import A
from tests.unit.probes.test_judge_mtu import PLAN, SCENARIO

TARGETS = {t.id: t.target for t in PLAN.probes}


@dataclass
class FakeAgent:
    """An agent on whose host everything fits; `garble` changes what it says about sizes."""

    host: str
    dies_at: int = 99  # its n-th request
    garble: Callable[[dict[str, Any]], dict[str, Any]] = lambda answer: answer
    asked: list[dict[str, Any]] = field(default_factory=list)

    def request(self, message: Request[A], timeout: float) -> A:
        asked = json.loads(message.line())
        self.asked.append(asked)
        if len(self.asked) >= self.dies_at:
            raise HostError(self.host, "the agent ended: killed")
        answer = {
            "op": message.op,
            "missing_features": [],
            "endpoints": [{"id": e["id"], "error": ""} for e in asked.get("endpoints", [])],
        }
        if message.op == "mtu":
            sizes = [self.fits(t) for t in asked["sizes"]]
            answer = self.garble({"op": "mtu", "sizes": sizes, "fragments": {"arrived": 5, "made": 0}})
        return message.read(answer)

    def fits(self, probe: Mapping[str, Any]) -> dict[str, Any]:
        target = TARGETS[probe["id"]]
        control, bulk = (
            {
                "size": s,
                "outcome": "answered",
                "responder": target,
                "moved": s,
                "ms": 1.0,
                "idle_ms": None,
                "detail": "",
            }
            if probe["bulk"]
            else None
            for s in (64, probe["bulk"])
        )
        return {
            "id": probe["id"], "error": "", "interface": "eth0", "mtu": 1450, "small": True, "full": True,
            "largest": 1450, "exact": True, "tries": 1, "responder": target, "detail": "",
            "control": control, "bulk": bulk,
        }  # fmt: skip


def run(**special: FakeAgent) -> tuple[MtuMeasurement, dict[str, Verdict], dict[str, FakeAgent]]:
    agents = {h: special.get(h, FakeAgent(h)) for h in ("host1", "host2", "host3")}
    measured = measure_sizes(PLAN, agents)
    return measured, {c.id: c.verdict for c in size_checks(Sizes(SCENARIO, PLAN, measured))}, agents


def test_one_short_round_counts_fragments_before_and_after() -> None:
    measured, verdicts, agents = run()
    assert set(verdicts.values()) == {Verdict.PASS}
    assert measured.fragments == {"host1": 0, "host2": 0, "host3": 0}
    assert [m["op"] for m in agents["host1"].asked] == ["hello", "open", "mtu", "mtu", "mtu", "close"]
    assert {t["bulk"] for t in agents["host1"].asked[3]["sizes"]} == {0, BULK}, (
        "hosts themselves are spared the transfer"
    )


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_host_whose_agent_dies_leaves_its_own_unproven(at: int) -> None:
    _, verdicts, _ = run(host3=FakeAgent("host3", dies_at=at))
    assert {id_ for id_, v in verdicts.items() if v is Verdict.INCONCLUSIVE} == {
        id_ for id_ in verdicts if "host3" in id_
    }
    assert Verdict.FAIL not in verdicts.values()


@pytest.mark.parametrize(
    "junk",
    [
        {"sizes": "all fine", "fragments": 7},
        {"sizes": [None, 7, {"id": True}, {"id": 10**9}, {"id": "0"}], "fragments": {"arrived": "none"}},
        {
            "sizes": [
                {"id": t.id, "full": 1, "small": "yes", "control": [None], "bulk": {"moved": float("nan")}}
                for t in PLAN.probes
            ]
        },
        {},
    ],
)
def test_nonsense_passes_nothing_of_that_hosts(junk: dict[str, Any]) -> None:
    _, verdicts, _ = run(host1=FakeAgent("host1", garble=lambda answer: {"op": "mtu", **junk}))
    own = {v for id_, v in verdicts.items() if "@host1->" in id_}
    assert own == {Verdict.INCONCLUSIVE}


def test_an_agent_cannot_speak_for_another_hosts_sizes() -> None:
    def liar(answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "sizes": [FakeAgent("x").fits({"id": t.id, "bulk": BULK}) for t in PLAN.probes]}

    _, verdicts, _ = run(host1=FakeAgent("host1", garble=liar), host2=FakeAgent("host2", dies_at=4))
    assert {v for id_, v in verdicts.items() if "@host2->" in id_} == {Verdict.INCONCLUSIVE}


def test_a_plan_without_size_probes_asks_nobody() -> None:
    agent = FakeAgent("host1")
    assert measure_sizes(type(PLAN)((), {}, 2.0), {"host1": agent}) == MtuMeasurement()
    assert agent.asked == []
