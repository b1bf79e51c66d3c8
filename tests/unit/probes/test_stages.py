"""The table of stages: every kind has one stage, stages that settle come first, and one without work sends nothing."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from swarmlab.model.check import Check, Verdict
from swarmlab.model.kinds import Kind
from swarmlab.model.probe import Address, Endpoint
from swarmlab.probes import STAGES
from swarmlab.probes.stage import LabView, Results, Stage
from tests.unit.probes.labs import ENDPOINTS, scenario, service


class Silent:
    """An agent that must not be asked anything but what it is."""

    def request(self, message: Any, timeout: float) -> Any:
        raise AssertionError(f"asked {message}")


def quiet(**more: Any) -> LabView:
    """Three hosts on which nothing is expected."""
    hosts = tuple(
        Endpoint(id=f"host:host{n}", host=f"host{n}", role="host", addresses=(Address(f"172.30.0.{n}", "underlay"),))
        for n in (1, 2, 3)
    )
    more.setdefault("agents", {f"host{n}": Silent() for n in (1, 2, 3)})
    made = scenario(service("front", "front-net"))
    return LabView(scenario=made, endpoints=(*ENDPOINTS, *hosts), timeout=0.1, **more)


def test_every_kind_has_exactly_one_stage() -> None:
    counted = Counter(kind for stage in STAGES for kind in stage.kinds)
    assert counted == dict.fromkeys(Kind, 1)


def test_what_settles_comes_before_what_is_measured_once() -> None:
    order = [stage.settles for stage in STAGES]
    assert order == sorted(order, reverse=True)
    assert all(stage.settles for stage in STAGES for kind in stage.kinds if kind.row.settles)


@pytest.mark.parametrize("stage", STAGES[1:], ids=lambda stage: type(stage).__name__)
def test_a_stage_sends_nothing_when_nothing_of_its_kinds_is_expected(stage: Stage) -> None:
    first = STAGES[0].run(quiet(agents={}), Results())
    assert first.facts is not None
    found = stage.run(quiet(), Results(facts=first.facts))
    assert (found.checks, found.findings, found.pcaps) == ((), (), {})


def test_results_are_added_up_and_facts_stay() -> None:
    facts = STAGES[0].run(quiet(agents={}), Results()).facts
    check = Check(
        id="x", kind="reach", source="a", target="b", network="", protocol="", port=0, expected="allow",
        observed="allow", verdict=Verdict.PASS, because="",
    )  # fmt: skip
    both = Results(checks=(check,), facts=facts, pcaps={"host1": b"1"}).plus(
        Results(checks=(check,), pcaps={"host2": b"2"})
    )
    assert (len(both.checks), both.facts, both.pcaps) == (2, facts, {"host1": b"1", "host2": b"2"})
