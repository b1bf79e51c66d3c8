"""The round from outside against fake agents: who is asked what, and that odd answers are "not known"."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from swarmlab.agent.loop import Loop
from swarmlab.agent.probing.batch import Batch
from swarmlab.agent.protocol.message import Request
from swarmlab.agent.protocol.probing import Open
from swarmlab.errors import HostError
from swarmlab.model.check import Check
from swarmlab.model.evidence import Measurement
from swarmlab.model.probe import ProbePlan
from swarmlab.model.scenario import Scenario
from swarmlab.probes.publish.balance import ROUNDS
from swarmlab.probes.publish.stage import EPHEMERAL, Publish, quiet_run
from swarmlab.probes.session.external_client import ExternalClient
from swarmlab.probes.session.link import AgentLink
from swarmlab.probes.stage import LabView, Results
from swarmlab.probes.traffic.facts import Facts
from swarmlab.probes.traffic.plan import plan
from tests.unit.probes.fakes import A
from tests.unit.probes.labs import PORT, RUN, scenario, service
from tests.unit.probes.ports import ENDPOINTS, lab

OUTSIDE_ADDRESS = "172.30.0.10"


@dataclass
class Fake:
    """One host's agent; `seen` answers one question about a task's or host's capture."""

    host: str
    fired: Callable[[Mapping[str, Any]], dict[str, Any]]
    seen: Callable[[Mapping[str, Any]], object] = lambda q: {
        "id": q["id"],
        "seen": q["target"].startswith("host:"),
        "answer_left": False,
    }
    dies: str = ""
    requests: list[Mapping[str, Any]] = field(default_factory=list)

    def request(self, message: Request[A], timeout: float) -> A:
        asked, op = json.loads(message.line()), message.op
        self.requests.append(asked)
        if op == self.dies:
            raise HostError(self.host, "killed")
        return message.read({"op": op, **getattr(self, f"_{op}")(asked)})

    def _hello(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return {"missing_features": []}

    def _open(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return {"endpoints": [{"id": e["id"], "error": ""} for e in message["endpoints"]]}

    def _fire(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "probes": [
                {"id": q["id"], "left": True, "sport": 30000 + q["id"], **self.fired(q)} for q in message["probes"]
            ]
        }

    def _seen(self, message: Mapping[str, Any]) -> dict[str, Any]:
        probes = message["probes"]
        return {"probes": [self.seen(q) for q in probes], "listeners": {q["target"]: "" for q in probes}}

    def _close(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return {}


def fired(q: Mapping[str, Any]) -> dict[str, Any]:
    """Published ports answer on the hosts with tasks (8443 on all), the rest refuses; the run's own port is the
    host's.
    """
    host = f"host{q['address'].rpartition('.')[2]}"
    if q["port"] == 8443 or (q["port"] == 8080 and host != "host3"):
        return {"outcome": "answered", "responder": f"web.{1 + q['id'] % 2 if q['port'] == 8443 else host[-1]}"}
    if q["port"] in (80, 443, 8080) or q["port"] != RUNS_PORT[0]:
        return {"outcome": "refused", "responder": ""}
    return {"outcome": "answered", "responder": f"host:{host}"}


RUNS_PORT = [0]


def run(**special: Fake) -> tuple[dict[str, Check], dict[str, Fake]]:
    made = lab()
    main = plan(made, ENDPOINTS, timeout=1.0, run=RUN, port=PORT)
    fakes = {h: special.get(h, Fake(h, fired)) for h in ("host1", "host2", "host3", "outside")}
    original = fakes["outside"].request

    def remember(message: Request[A], timeout: float) -> A:
        if isinstance(message, Open):
            RUNS_PORT[0] = message.port
        return original(message, timeout)

    fakes["outside"].request = remember  # type: ignore[method-assign]
    agents: dict[str, AgentLink] = {h: fake for h, fake in fakes.items() if h != "outside"}
    checks = tried(made, main, agents, ExternalClient(OUTSIDE_ADDRESS, fakes["outside"]))
    return {c.id: c for c in checks}, fakes


def tried(
    made: Scenario, main: ProbePlan, agents: Mapping[str, AgentLink], client: ExternalClient
) -> tuple[Check, ...]:
    """What stage publish says after a main round that measured nothing."""
    view = LabView(scenario=made, endpoints=tuple(ENDPOINTS), agents=agents, timeout=1.0, external_client=client)
    results = Publish().run(view, Results(facts=Facts(made, main, Measurement())))
    return results.checks


def test_a_sound_lab_is_all_green_and_ports_under_test_are_watched_not_listened_on() -> None:
    checks, fakes = run()
    assert {str(c.verdict) for c in checks.values()} == {"pass"}, [
        c for c in checks.values() if str(c.verdict) != "pass"
    ]
    (opened,) = (m for m in fakes["host1"].requests if m["op"] == "open")
    by_id = {e["id"]: e for e in opened["endpoints"]}
    assert set(by_id) == {"web.1", "host:host1"}
    assert by_id["host:host1"]["extra_ports"] == []
    assert by_id["web.1"]["extra_ports"] == [80, 443]
    assert set(by_id["host:host1"]["watched"]) >= {80, 443, 8080, 8443}
    assert [m["op"] for m in fakes["host1"].requests] == ["hello", "open", "seen", "seen", "close"]


def test_a_task_is_asked_for_every_port_that_translation_may_have_made_of_it() -> None:
    _, fakes = run()
    second = [m for m in fakes["host1"].requests if m["op"] == "seen"][1]
    asked: dict[int, set[int]] = {}
    for q in second["probes"]:
        assert q["target"] == "web.1"
        asked.setdefault(q["id"], set()).add(q["port"])
    again = [i for i, ports in asked.items() if ports == {8443, 443}]
    assert len(again) == 3 * 2 * ROUNDS, "the mesh's port is tried again at each host, where it can only be this one"
    assert all(ports >= {80, 443} for i, ports in asked.items() if i not in again)


ODD: dict[str, Callable[[Mapping[str, Any]], object]] = {
    "nonsense": lambda q: 7,
    "text for a truth value": lambda q: {"id": q["id"], "seen": "no", "answer_left": "yes"},
    "nothing": lambda q: {},
}


@pytest.mark.parametrize("odd", ODD)
def test_what_an_agent_says_oddly_is_not_known(odd: str) -> None:
    checks, _ = run(host3=Fake("host3", fired, ODD[odd]))
    shut = {i: c for i, c in checks.items() if "@host3" in i and c.expected == "deny"}
    assert {str(c.verdict) for c in shut.values()} == {"inconclusive"}
    assert {str(c.verdict) for i, c in checks.items() if "@host3" not in i} == {"pass"}


@pytest.mark.parametrize("op", ["hello", "open", "fire"])
def test_an_agent_outside_that_dies_proves_nothing(op: str) -> None:
    checks, _ = run(outside=Fake("outside", fired, dies=op))
    assert {str(c.verdict) for c in checks.values()} == {"inconclusive"}


def test_a_host_whose_agent_dies_leaves_its_closed_ports_unproven() -> None:
    checks, _ = run(host3=Fake("host3", fired, dies="seen"))
    assert {str(c.verdict) for i, c in checks.items() if "@host3" in i and c.expected == "deny"} == {"inconclusive"}
    assert {str(c.verdict) for i, c in checks.items() if c.expected == "allow"} == {"pass"}, "an answer is an answer"


def test_a_lab_without_an_external_client_says_so_and_one_that_publishes_nothing_sends_nothing() -> None:
    made = lab()
    main = plan(made, ENDPOINTS, timeout=1.0, run=RUN, port=PORT)
    checks = tried(made, main, {}, ExternalClient())
    assert {str(c.verdict) for c in checks} == {"inconclusive"}
    assert all("swarmlab up" in c.explanation for c in checks)
    assert len({c.id for c in checks}) == len(checks)
    quiet = scenario(service("web", "front-net"))
    assert tried(quiet, replace(main, probes=()), {}, ExternalClient()) == ()


def test_host_ports_are_tried_from_source_ports_that_no_applications_client_has() -> None:
    for host_ports in (1, 600, 12_000):
        first = Batch(Loop(), quiet_run(host_ports), PORT, 1.0, 1)  # a scheduler's first batch is number 1
        assert all(20000 <= first.sport(id_) < EPHEMERAL for id_ in (0, host_ports - 1))
