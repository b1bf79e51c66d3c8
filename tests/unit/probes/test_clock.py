"""Clocks against the median of all: what agrees, what differs, and what cannot be known. Agents are pretended."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from swarmlab.agent.protocol.probing import HelloAnswer
from swarmlab.errors import HostError
from swarmlab.model.check import Check, Finding, Verdict
from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import Kind
from swarmlab.probes.clock.judge import LIMIT, clock_checks
from swarmlab.probes.clock.run import Reading
from swarmlab.probes.clock.stage import Clock
from swarmlab.probes.stage import LabView, Results
from tests.unit.probes.labs import scenario, service

PROMISE = Expectation(kind=Kind.CLOCK, expected="agrees", because="certificates have dates")


class Clocked:
    """An agent whose host's clock is so many seconds ahead of this one's; None: it does not tell."""

    def __init__(self, ahead: float | None, dies: bool = False) -> None:
        self.ahead, self.dies = ahead, dies

    def request(self, message: Any, timeout: float) -> Any:
        if self.dies:
            raise HostError("host2", "the agent ended: killed")
        return HelloAnswer(clock=None if self.ahead is None else time.time() + self.ahead)


def proof(
    agents: Mapping[str, Any], dead: Mapping[str, str] | None = None
) -> tuple[dict[str, Check], tuple[Finding, ...]]:
    made = replace(scenario(service("front", "front-net")), expectations=(PROMISE,))
    view = LabView(scenario=made, endpoints=(), agents=agents, timeout=1.0, dead=dead or {})
    found = Clock().run(view, Results())
    return {check.id: check for check in found.checks}, found.findings


def verdicts(checks: Mapping[str, Check]) -> dict[str, str]:
    return {id_.partition(":")[2]: str(check.verdict) for id_, check in checks.items()}


def test_clocks_that_agree_are_proven_whatever_ours_says() -> None:
    checks, findings = proof({f"host{n}": Clocked(86_400 + n) for n in (1, 2, 3)})
    assert (verdicts(checks), findings) == (dict.fromkeys(("host1", "host2", "host3"), "pass"), ())
    shown = checks["clock:host3"].evidence.to_json()
    assert shown["compared"] == ["host1", "host2", "host3"]
    assert shown["ahead_s"] == pytest.approx(1, abs=0.5)


@pytest.mark.parametrize(("ahead", "how"), [(7200, "ahead of"), (-7200, "behind")])
def test_one_clock_that_is_wrong_is_red_and_the_others_are_not(ahead: float, how: str) -> None:
    checks, findings = proof({"host1": Clocked(0), "host2": Clocked(ahead), "host3": Clocked(1)})
    assert verdicts(checks) == {"host1": "pass", "host2": "fail", "host3": "pass"}
    assert how in checks["clock:host2"].explanation
    assert [(f.id, f.hosts, f.severity) for f in findings] == [("clock-skew", ("host2",), "connectivity")]


def test_of_two_clocks_that_differ_nobody_knows_which_is_wrong() -> None:
    checks, (finding,) = proof({"host1": Clocked(0), "host2": Clocked(7200)})
    assert verdicts(checks) == {"host1": "fail", "host2": "fail"}
    assert finding.hosts == ("host1", "host2")


@pytest.mark.parametrize("other", [Clocked(None), Clocked(0, dies=True)], ids=["does not tell", "dies"])
def test_a_clock_that_cannot_be_read_proves_nothing_and_spoils_no_other(other: Clocked) -> None:
    checks, findings = proof({"host1": Clocked(0), "host2": other, "host3": Clocked(1)})
    assert verdicts(checks) == {"host1": "pass", "host2": "inconclusive", "host3": "pass"}
    assert (checks["clock:host2"].evidence.to_json()["ahead_s"], findings) == (None, ())


def test_a_host_without_an_agent_is_not_asked_and_the_last_clock_has_nobody_to_agree_with() -> None:
    checks, _ = proof({"host1": Clocked(0), "host2": Clocked(9e9, dies=True)}, dead={"host2": "host2: no Python"})
    assert verdicts(checks) == {"host1": "inconclusive", "host2": "inconclusive"}
    assert "no Python" in checks["clock:host2"].explanation
    assert "No other clock" in checks["clock:host1"].explanation


def test_a_single_host_has_nothing_to_compare() -> None:
    assert proof({"host1": Clocked(0)}) == ({}, ())


@pytest.mark.parametrize(
    ("ahead", "error", "verdict"),
    [
        (LIMIT - 1, 0.2, Verdict.PASS),
        (LIMIT - 1, 0.9, Verdict.INCONCLUSIVE),
        (LIMIT + 1, 0.9, Verdict.INCONCLUSIVE),
        (LIMIT + 1, 0.2, Verdict.FAIL),
    ],
)
def test_the_error_of_reading_counts_on_both_sides_of_the_limit(ahead: float, error: float, verdict: Verdict) -> None:
    readings = {h: Reading(h, at, error) for h, at in (("host1", 0.0), ("host2", 0.0), ("host3", ahead))}
    assert {c.source_host: c.verdict for c in clock_checks(readings, PROMISE)}["host3"] is verdict
