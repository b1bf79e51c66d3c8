"""Measures from outside: like any run, and afterwards every task's capture is asked whether the request came through to
it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from swarmlab.agent.protocol import SILENT
from swarmlab.model.evidence import Measurement
from swarmlab.model.host import OUTSIDE
from swarmlab.model.probe import Endpoint, ProbePlan
from swarmlab.probes.publish.plan import HostPort
from swarmlab.probes.session.endpoints import WORKLOADS
from swarmlab.probes.session.link import AgentLink, Answer
from swarmlab.probes.session.merge import Merge
from swarmlab.probes.session.round import SLACK, Round

TaskSaw = tuple[bool | None, bool | None]  # the request was seen there; an answer to it left


@dataclass(frozen=True)
class Seen:
    """Both sides of what was tried from outside. `answers`: who answered, by probe, "" for an application; `tasks`: who
    saw which probe; `silent`: connections that were accepted, and nothing more.
    """

    measurement: Measurement
    answers: Mapping[int, str] = field(default_factory=dict)
    tasks: Mapping[int, Mapping[str, TaskSaw]] = field(default_factory=dict)
    silent: frozenset[int] = frozenset()


def measure(
    plan: ProbePlan,
    agents: Mapping[str, AgentLink],
    dead_hosts: Mapping[str, str],
    again: Mapping[int, HostPort] | None = None,
) -> Seen:
    """Never raises for a host that fails. `again` are the host ports of probes that repeat another's: only the tasks
    behind them are asked.
    """
    with ThreadPoolExecutor(max_workers=max(1, len(agents)), thread_name_prefix="agent") as pool:
        round_ = Round(plan, agents, pool, dict(dead_hosts))
        port = round_.open()
        fired = round_.fire(port)
        merge = Merge(plan, port, fired, round_.dead_endpoints, round_.dead_hosts)
        questions = merge.questions()
        alive = {host: questions.get(host, []) for host in sorted(round_.alive)}
        merge.saw(round_.everywhere({h: {"op": "seen", "probes": q} for h, q in alive.items()}, plan.timeout + SLACK))
        tasks = _tasks_saw(round_, plan, _raw(fired), again or {})
        round_.everywhere({h: {"op": "close"} for h in alive}, SLACK, fatal=False)
    measured = Measurement(
        merge.probes(),
        dead_endpoints=round_.dead_endpoints,
        dead_hosts=round_.dead_hosts,
        missing_features=round_.missing_features,
    )
    answered = {i: r for i, r in _raw(fired).items() if r.get("outcome") == "answered"}
    silent = frozenset(i for i, r in answered.items() if r.get("detail") == SILENT)
    return Seen(measured, {i: str(r.get("responder") or "")[:300] for i, r in answered.items()}, tasks, silent)


def _raw(fired: Mapping[str, Answer]) -> dict[int, Mapping[str, Any]]:
    """What the agent outside says of its own probes."""
    entries = fired.get(OUTSIDE, {}).get("probes")
    return (
        {e["id"]: e for e in entries if isinstance(e, dict) and type(e.get("id")) is int}
        if isinstance(entries, list)
        else {}
    )


def _tasks_saw(
    round_: Round, plan: ProbePlan, raw: Mapping[int, Mapping[str, Any]], again: Mapping[int, HostPort]
) -> dict[int, dict[str, TaskSaw]]:
    """Address translation changes the destination port, and keeps the source port: a task is asked for each port that
    it could be.
    """
    tasks = [e for e in plan.endpoints.values() if e.role in WORKLOADS and e.id not in round_.dead_endpoints]
    asked = [(task, question) for task in tasks for question in _questions(plan, task, raw, again)]
    by_host: dict[str, list[tuple[str, dict[str, object]]]] = {}
    for task, question in asked:
        by_host.setdefault(task.host, []).append((task.id, question))
    requests = {h: {"op": "seen", "probes": [q for _, q in qs]} for h, qs in by_host.items()}
    answers = round_.everywhere(requests, plan.timeout + SLACK)
    found: dict[int, dict[str, list[TaskSaw]]] = {}
    for host, answer in answers.items():
        for (task_id, question), entry in zip(by_host[host], _entries(answer, len(by_host[host])), strict=True):
            number = question["id"]
            assert isinstance(number, int)
            found.setdefault(number, {}).setdefault(task_id, []).append(
                (_flag(entry.get("seen")), _flag(entry.get("answer_left")))
            )
    return {
        i: {t: (_any([s for s, _ in all_]), _any([a for _, a in all_])) for t, all_ in by.items()}
        for i, by in found.items()
    }


def _questions(
    plan: ProbePlan, task: Endpoint, raw: Mapping[int, Mapping[str, Any]], again: Mapping[int, HostPort]
) -> Iterator[dict[str, object]]:
    host_ports = set(plan.watched.get(OUTSIDE, ()))
    inside = {*plan.extra_ports.get(task.id, ()), *(set(plan.watched.get(task.id, ())) - host_ports)}
    for p in plan.probes:
        sport = raw.get(p.id, {}).get("sport")
        if p.source == OUTSIDE and p.purpose == "check" and p.id in raw:
            host_port = again.get(p.id)
            if host_port and task.id not in host_port.tasks:
                continue
            for port in dict.fromkeys((p.port, host_port.inside) if host_port else (p.port, *inside)):
                known = sport if type(sport) is int and 0 <= sport <= 65535 else 0
                yield {"id": p.id, "target": task.id, "protocol": p.protocol, "port": port, "sport": known}


def _entries(answer: Answer, count: int) -> Sequence[Mapping[str, Any]]:
    """One per question, in its order; an agent that answers otherwise has said nothing."""
    entries = answer.get("probes")
    if not isinstance(entries, list) or len(entries) != count or not all(isinstance(e, dict) for e in entries):
        return [{}] * count
    return entries


def _flag(value: object) -> bool | None:
    return value if value is True or value is False else None


def _any(flags: Sequence[bool | None]) -> bool | None:
    return True if True in flags else None if None in flags else False
