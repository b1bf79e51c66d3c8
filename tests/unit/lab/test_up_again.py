"""`up` of a lab that is there: what was not asked for stays as it is, and no host is left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarmlab.errors import UsageError
from swarmlab.lab.options import UpOptions
from swarmlab.lab.state import LabState
from swarmlab.lab.up import Intent, grown
from swarmlab.model.scenario import Scenario

EXISTING = LabState("shop", "shop", "docker", "compose.yaml", 4, 3, engine="26.1")


def intent(options: UpOptions, hosts: int = 3) -> Intent:
    return Intent("shop", Scenario("shop", Path("compose.yaml"), "", {}, {}, hosts=hosts, managers=1), options)


def test_a_new_lab_is_what_was_asked_for() -> None:
    asked = intent(UpOptions("shop"))
    assert grown(asked, None) == asked


def test_what_was_not_asked_for_stays() -> None:
    found = grown(intent(UpOptions("shop")), EXISTING)
    assert (found.scenario.hosts, found.scenario.managers, found.options.engine) == (4, 3, "26.1")


def test_a_lab_grows() -> None:
    found = grown(intent(UpOptions("shop", hosts=5, engine="26.1"), hosts=5), EXISTING)
    assert (found.scenario.hosts, found.options.engine) == (5, "26.1")


def test_a_lab_does_not_shrink() -> None:
    with pytest.raises(UsageError) as caught:
        grown(intent(UpOptions("shop", hosts=2), hosts=2), EXISTING)
    assert str(caught.value) == (
        "lab 'shop' has 4 hosts, and 2 are asked for: none is taken away from a lab\n"
        "  fix: --hosts 4, or `swarmlab down shop` first"
    )
