"""Deploy a stack with the engine's own `docker stack deploy`, and wait until it really runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from swarmlab.engine.client import LABEL, STACK_LABEL, Engine
from swarmlab.errors import CommandFailed, DeadlinePassed, HostError, StackFailed
from swarmlab.events import Phase
from swarmlab.remote.wait import until

FAILED_STATES = ("failed", "rejected")
PATIENCE = 4  # failed tasks of one service before we stop hoping that the next one will run
LOOK = "`up --no-rollback` keeps the lab; then `swarmlab ssh LAB host1 -- docker service logs SERVICE` shows more"
# Seconds for which a task must run when one before it failed: each new one of a crashing image runs for a moment.
STEADY = 5.0


def deploy(leader: Engine, stack: str, compose: str) -> None:
    """Hand the file to the manager's own client over standard input, so that no file stays there.

    Images are never asked of a registry. Raises StackFailed with what the client said.
    """
    argv = ["docker", "stack", "deploy", "--prune", "--resolve-image", "never", "--compose-file", "-", stack]
    try:
        leader.remote.run(argv, stdin=compose.encode(), timeout=120)
    except CommandFailed as error:
        raise StackFailed(f"{leader.name}: `docker stack deploy` did not accept the file\n  {error.message}") from error


def prune_networks(leader: Engine, stack: str, wanted: Collection[str]) -> None:
    """Remove overlays of an earlier version of the stack, which `docker stack deploy --prune` leaves.

    One that somebody else uses stays.
    """
    with leader.errors(f"list the networks of stack {stack}"):
        listed = leader.api.networks(filters={"label": f"{STACK_LABEL}={stack}", "scope": "swarm"})
    for network in listed:
        if network["Name"] not in wanted:
            with contextlib.suppress(DeadlinePassed):  # tasks that are ending hold it for a moment
                until(partial(_removed, leader, network), f"{network['Name']} is removed", timeout=10, interval=0.2)


def _removed(leader: Engine, network: dict[str, Any]) -> bool:
    with contextlib.suppress(HostError), leader.errors(f"remove network {network['Name']}"):
        leader.api.remove_network(network["Id"])
        return True
    return False


def services(leader: Engine, stack: str) -> list[dict[str, Any]]:
    """The stack's services with their desired and running task counts (`ServiceStatus`)."""
    with leader.errors(f"list the services of stack {stack}"):
        found: list[dict[str, Any]] = leader.api.services(filters={"label": f"{STACK_LABEL}={stack}"}, status=True)
        return found


def own_services(leader: Engine, lab: str) -> list[dict[str, Any]]:
    """The services that the lab itself made (its control), with their task counts."""
    with leader.errors("list services"):
        found: list[dict[str, Any]] = leader.api.services(filters={"label": f"{LABEL}={lab}"}, status=True)
        return found


def tasks(leader: Engine, services: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """All tasks of these services, finished ones too."""
    if not services:
        return []
    with leader.errors("list tasks"):
        found: list[dict[str, Any]] = leader.api.tasks(filters={"service": [s["ID"] for s in services]})
        return found


def wait_running(leader: Engine, listed: Callable[[], list[dict[str, Any]]], phase: Phase, *, timeout: float) -> None:
    """Wait until each of the `listed` services has as many running tasks as it wants, at most `timeout` seconds.

    Raises StackFailed, with the tasks' own errors, when a service keeps failing or the time is over.
    """
    state = {"text": "no service yet"}

    def running() -> bool | None:
        found = listed()
        counts = [
            (s["Spec"]["Name"], s["ServiceStatus"]["RunningTasks"], s["ServiceStatus"]["DesiredTasks"]) for s in found
        ]
        state["text"] = ", ".join(f"{name} {now}/{want}" for name, now, want in counts)
        done, total = sum(min(now, want) for _, now, want in counts), sum(want for _, _, want in counts)
        phase(f"{done} of {total} tasks run", done, total)
        settled = all((s.get("UpdateStatus") or {}).get("State") not in ("updating", "rollback_started") for s in found)
        if found and settled and all(now >= want for _, now, want in counts) and _has_tasks(found, total):
            return _steady(leader, found) or None
        _give_up_on_failures(leader, found)
        return None

    try:
        until(running, "every task runs", timeout=timeout, interval=0.1, last=lambda: state["text"])
    except DeadlinePassed as error:
        detail = "\n".join(f"  {line}" for line in _errors_of(leader, listed())) or "  no task reports an error"
        raise StackFailed(
            f"{error.message}\n{detail}", fix="see the tasks' errors above; `--wait SECONDS` gives slow hosts more time"
        ) from error


def _steady(leader: Engine, found: Sequence[dict[str, Any]]) -> bool:
    """Whether every task that took a failed one's place has run for a while, by the engines' own clock."""
    listed = tasks(leader, found)
    failed = {task["ServiceID"] for task in listed if task["Status"]["State"] in FAILED_STATES}
    started = [
        t["Status"]["Timestamp"] for t in listed if t["ServiceID"] in failed and t["Status"]["State"] == "running"
    ]
    if not started:
        return True
    now = datetime.fromisoformat(leader.info()["SystemTime"])
    return all((now - datetime.fromisoformat(time)).total_seconds() >= STEADY for time in started)


def _has_tasks(found: Sequence[dict[str, Any]], total: int) -> bool:
    """Whether the services want tasks, or are told to have none: a new service wants none for a moment, too."""
    return total > 0 or all(_task_free(service) for service in found)


def _task_free(service: dict[str, Any]) -> bool:
    return bool(service["Spec"]["Mode"].get("Replicated", {}).get("Replicas") == 0)


def _give_up_on_failures(leader: Engine, found: Sequence[dict[str, Any]]) -> None:
    lacking = [s for s in found if s["ServiceStatus"]["RunningTasks"] < s["ServiceStatus"]["DesiredTasks"]]
    if not lacking:
        return
    count: dict[str, int] = {}
    for task in tasks(leader, lacking):
        if task["Status"]["State"] in FAILED_STATES:
            count[task["ServiceID"]] = count.get(task["ServiceID"], 0) + 1
    if any(n >= PATIENCE for n in count.values()):
        text = "\n".join(f"  {line}" for line in _errors_of(leader, lacking))
        raise StackFailed(f"tasks of the stack keep failing:\n{text}", fix=LOOK)


def still_running(leader: Engine, stack: str) -> None:
    """Look again after the proof: an image that crashes after some seconds did run when it was waited for.

    Raises StackFailed when tasks are missing.
    """
    lacking = [
        s for s in services(leader, stack) if s["ServiceStatus"]["RunningTasks"] < s["ServiceStatus"]["DesiredTasks"]
    ]
    if lacking:
        text = "\n".join(f"  {line}" for line in _errors_of(leader, lacking))
        raise StackFailed(f"tasks of the stack ended while they were measured:\n{text}", fix=LOOK)


def _errors_of(leader: Engine, found: Sequence[dict[str, Any]]) -> list[str]:
    """One line for each different error of the services' tasks; bounded, because tasks can fail for hours."""
    names = {s["ID"]: s["Spec"]["Name"] for s in found}
    lines: dict[str, None] = {}
    for task in sorted(tasks(leader, found), key=lambda t: str(t["UpdatedAt"]), reverse=True):
        error = task["Status"].get("Err") or (task["Status"]["Message"] if task["Status"]["State"] != "running" else "")
        if error and task["DesiredState"] in ("running", "ready", "shutdown"):
            lines[f"{names.get(task['ServiceID'], '?')} ({task['Status']['State']}): {str(error)[:300]}"] = None
    return list(lines)[:10]
