"""Measures from outside: like any run, and afterwards every task's capture is asked whether the request came through to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from swarmlab.agent.protocol import SILENT
from swarmlab.model.evidence import Measurement
from swarmlab.model.host import OUTSIDE
from swarmlab.model.probe import Endpoint, ProbePlan
from swarmlab.probes.link import AgentLink, Answer
from swarmlab.probes.merge import Merge
from swarmlab.probes.publish_plan import Door
from swarmlab.probes.roster import WORKLOADS
from swarmlab.probes.run import SLACK, Run

Sighting = tuple[bool | None, bool | None]  # the request was seen there; an answer to it left


@dataclass(frozen=True)
class Seen:
    """Both sides of what was tried from outside. `answers`: who answered, by probe, "" for an application; `tasks`: who saw which probe;
    `silent`: connections that were accepted, and nothing more.
    """

    measurement: Measurement
    answers: Mapping[int, str] = field(default_factory=dict)
    tasks: Mapping[int, Mapping[str, Sighting]] = field(default_factory=dict)
    silent: frozenset[int] = frozenset()


def measure(
    plan: ProbePlan, agents: Mapping[str, AgentLink], dead_hosts: Mapping[str, str], again: Mapping[int, Door] | None = None
) -> Seen:
    """Never raises for a host that fails. `again` are the doors of probes that repeat another's: only the tasks behind them are asked."""
    with ThreadPoolExecutor(max_workers=max(1, len(agents)), thread_name_prefix="agent") as pool:
        run = Run(plan, agents, pool, dict(dead_hosts))
        port = run.open()
        fired = run.fire(port)
        merge = Merge(plan, port, fired, run.dead_endpoints, run.dead_hosts)
        questions = merge.questions()
        alive = {host: questions.get(host, []) for host in sorted(run.alive)}
        merge.saw(run.everywhere({h: {"op": "seen", "probes": q} for h, q in alive.items()}, plan.timeout + SLACK))
        tasks = _sightings(run, plan, _raw(fired), again or {})
        run.everywhere({h: {"op": "close"} for h in alive}, SLACK, fatal=False)
    measured = Measurement(merge.probes(), dead_endpoints=run.dead_endpoints, dead_hosts=run.dead_hosts, lacks=run.lacks)
    answered = {i: r for i, r in _raw(fired).items() if r.get("outcome") == "answered"}
    silent = frozenset(i for i, r in answered.items() if r.get("detail") == SILENT)
    return Seen(measured, {i: str(r.get("responder") or "")[:300] for i, r in answered.items()}, tasks, silent)


def _raw(fired: Mapping[str, Answer]) -> dict[int, Mapping[str, Any]]:
    """What the agent outside says of its own probes."""
    entries = fired.get(OUTSIDE, {}).get("probes")
    return {e["id"]: e for e in entries if isinstance(e, dict) and type(e.get("id")) is int} if isinstance(entries, list) else {}


def _sightings(
    run: Run, plan: ProbePlan, raw: Mapping[int, Mapping[str, Any]], again: Mapping[int, Door]
) -> dict[int, dict[str, Sighting]]:
    """Address translation changes the destination port, and keeps the source port: a task is asked for each port that it could be."""
    tasks = [e for e in plan.endpoints.values() if e.role in WORKLOADS and e.id not in run.dead_endpoints]
    asked = [(task, question) for task in tasks for question in _questions(plan, task, raw, again)]
    by_host: dict[str, list[tuple[str, dict[str, object]]]] = {}
    for task, question in asked:
        by_host.setdefault(task.host, []).append((task.id, question))
    requests = {h: {"op": "seen", "probes": [q for _, q in qs]} for h, qs in by_host.items()}
    answers = run.everywhere(requests, plan.timeout + SLACK)
    found: dict[int, dict[str, list[Sighting]]] = {}
    for host, answer in answers.items():
        for (task_id, question), entry in zip(by_host[host], _entries(answer, len(by_host[host])), strict=True):
            number = question["id"]
            assert isinstance(number, int)
            found.setdefault(number, {}).setdefault(task_id, []).append((_flag(entry.get("seen")), _flag(entry.get("answer_left"))))
    return {i: {t: (_any([s for s, _ in all_]), _any([a for _, a in all_])) for t, all_ in by.items()} for i, by in found.items()}


def _questions(
    plan: ProbePlan, task: Endpoint, raw: Mapping[int, Mapping[str, Any]], again: Mapping[int, Door]
) -> Iterator[dict[str, object]]:
    doors = set(plan.watched.get(OUTSIDE, ()))
    inside = {*plan.extra_ports.get(task.id, ()), *(set(plan.watched.get(task.id, ())) - doors)}
    for p in plan.probes:
        sport = raw.get(p.id, {}).get("sport")
        if p.source == OUTSIDE and p.purpose == "check" and p.id in raw:
            door = again.get(p.id)
            if door and task.id not in door.tasks:
                continue
            for port in dict.fromkeys((p.port, door.inside) if door else (p.port, *inside)):
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
