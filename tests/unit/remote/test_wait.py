"""Waiting for a condition: it returns as soon as it holds, and says what it last saw when it does not."""

from __future__ import annotations

import pytest

from swarmlab.errors import DeadlinePassed
from swarmlab.remote import until


def test_it_returns_the_first_value() -> None:
    answers = iter([None, False, "ready", "never asked"])
    assert until(lambda: next(answers), "ready", 5, 0.001) == "ready"
    assert next(answers) == "never asked"


def test_zero_is_a_value() -> None:
    assert until(lambda: 0, "a number", 1) == 0


def test_the_deadline_tells_what_was_waited_for_and_last_seen() -> None:
    with pytest.raises(DeadlinePassed) as caught:
        until(lambda: None, "3 tasks run", 0.02, 0.005, lambda: "2 of 3 run")
    assert str(caught.value) == "not so within 0.02 s: 3 tasks run; last seen: 2 of 3 run"


def test_the_condition_is_asked_at_least_once() -> None:
    assert until(lambda: "now", "now", 0) == "now"
