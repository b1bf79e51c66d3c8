"""A crashing image runs for a moment each time: that moment is not "every task runs"."""

from __future__ import annotations

from typing import Any, cast

import pytest

from swarmlab.engine import stack
from swarmlab.engine.client import Engine
from swarmlab.errors import StackFailed

SERVICE = {"ID": "s", "Spec": {"Name": "shop_db", "Mode": {"Replicated": {"Replicas": 1}}}}


class FakeEngine:
    """A manager with one service, at 12:00:10 of its own clock."""

    name = "host1"

    def __init__(self, *tasks: dict[str, Any], running: int = 1) -> None:
        self.api = self
        self.found = list(tasks)
        self.running = running

    def errors(self, doing: str) -> Any:
        from contextlib import nullcontext

        return nullcontext()

    def info(self) -> dict[str, str]:
        return {"SystemTime": "2026-01-01T12:00:10.000000001Z"}

    def tasks(self, filters: object) -> list[dict[str, Any]]:
        return self.found

    def services(self, filters: object, status: bool) -> list[dict[str, Any]]:
        return [{**SERVICE, "ServiceStatus": {"RunningTasks": self.running, "DesiredTasks": 1}}]


def task(state: str, second: int, error: str = "") -> dict[str, Any]:
    status = {
        "State": state,
        "Timestamp": f"2026-01-01T12:00:{second:02}.123456789Z",
        "Err": error,
        "Message": "started",
    }
    return {
        "ID": f"{state}{second}",
        "ServiceID": "s",
        "Status": status,
        "DesiredState": "running",
        "UpdatedAt": status["Timestamp"],
    }


def wait(engine: FakeEngine) -> None:
    leader = cast(Engine, engine)
    stack.wait_running(leader, lambda: stack.services(leader, "shop"), lambda text, done=0, total=0: None, timeout=0.05)  # type: ignore[arg-type]


def test_a_first_task_that_runs_is_enough() -> None:
    wait(FakeEngine(task("running", 10)))


def test_a_task_that_took_a_failed_ones_place_must_have_run_for_a_while() -> None:
    wait(FakeEngine(task("failed", 1, "non-zero exit (1)"), task("running", 4)))
    with pytest.raises(StackFailed, match=r"shop_db \(failed\): non-zero exit \(1\)"):
        wait(FakeEngine(task("failed", 7, "non-zero exit (1)"), task("running", 8)))


def test_a_task_that_ended_during_the_proof_fails_it() -> None:
    stack.still_running(cast(Engine, FakeEngine(task("running", 4))), "shop")
    with pytest.raises(StackFailed) as caught:
        stack.still_running(cast(Engine, FakeEngine(task("failed", 9, "non-zero exit (3)"), running=0)), "shop")
    assert (
        caught.value.message
        == "tasks of the stack ended while they were measured:\n  shop_db (failed): non-zero exit (3)"
    )
