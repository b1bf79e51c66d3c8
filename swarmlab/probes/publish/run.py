"""Measures from outside: like any round; then every task's capture is asked whether the request came through to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from swarmlab.agent.protocol import probing
from swarmlab.model.evidence import Measurement, Outcome
from swarmlab.model.host import OUTSIDE
from swarmlab.model.probe import Endpoint, ProbePlan
from swarmlab.probes.publish.plan import HostPort
from swarmlab.probes.session.endpoints import WORKLOADS
from swarmlab.probes.session.link import AgentLink
from swarmlab.probes.session.merge import Merge, any_of
from swarmlab.probes.session.round import SLACK, Round

TaskSaw = tuple[bool | None, bool | None]  # the request was seen there; an answer to it left


@dataclass(frozen=True)
class PublishMeasurement:
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
) -> PublishMeasurement:
    """Never raises for a host that fails. `again` are the host ports of probes that repeat another's: only the tasks
    behind them are asked.
    """
    with ThreadPoolExecutor(max_workers=max(1, len(agents)), thread_name_prefix="agent") as pool:
        round_ = Round(plan, agents, pool, dict(dead_hosts))
        port = round_.open()
        fired = round_.fire(port)
        merge = Merge(plan, port, fired, round_.dead_endpoints, round_.dead_hosts)
        questions = merge.questions()
        asked = {host: probing.Seen(tuple(questions.get(host, ()))) for host in sorted(round_.alive)}
        merge.saw(round_.everywhere(asked, plan.timeout + SLACK))
        outside = {result.id: result for result in fired.get(OUTSIDE, probing.FireAnswer()).probes}
        tasks = _tasks_saw(round_, plan, outside, again or {})
        round_.everywhere(dict.fromkeys(asked, probing.Close()), SLACK, fatal=False)
    measured = Measurement(
        merge.probes(),
        dead_endpoints=round_.dead_endpoints,
        dead_hosts=round_.dead_hosts,
        missing_features=round_.missing_features,
    )
    answered = {i: result for i, result in outside.items() if result.outcome == Outcome.ANSWERED}
    silent = frozenset(i for i, result in answered.items() if result.detail == probing.SILENT)
    return PublishMeasurement(measured, {i: result.responder for i, result in answered.items()}, tasks, silent)


def _tasks_saw(
    round_: Round, plan: ProbePlan, outside: Mapping[int, probing.ProbeResult], again: Mapping[int, HostPort]
) -> dict[int, dict[str, TaskSaw]]:
    """Address translation changes the destination port, and keeps the source port: a task is asked for each port that
    it could be.
    """
    asked: dict[str, list[probing.SeenSpec]] = {}
    for task in plan.endpoints.values():
        if task.role in WORKLOADS and task.id not in round_.dead_endpoints:
            asked.setdefault(task.host, []).extend(_questions(plan, task, outside, again))
    requests = {host: probing.Seen(tuple(questions)) for host, questions in asked.items() if questions}
    answers = round_.everywhere(requests, plan.timeout + SLACK)
    found: dict[int, dict[str, list[probing.SeenResult]]] = {}
    for host, answer in answers.items():
        for question, told in zip(asked[host], _in_order(answer, asked[host]), strict=True):
            found.setdefault(question.id, {}).setdefault(question.target, []).append(told)
    return {
        i: {
            t: (any_of([told.seen for told in all_]), any_of([told.answer_left for told in all_]))
            for t, all_ in by.items()
        }
        for i, by in found.items()
    }


def _questions(
    plan: ProbePlan, task: Endpoint, outside: Mapping[int, probing.ProbeResult], again: Mapping[int, HostPort]
) -> Iterator[probing.SeenSpec]:
    host_ports = set(plan.watched.get(OUTSIDE, ()))
    inside = {*plan.extra_ports.get(task.id, ()), *(set(plan.watched.get(task.id, ())) - host_ports)}
    for p in plan.probes:
        if p.source == OUTSIDE and p.purpose == "check" and p.id in outside:
            host_port = again.get(p.id)
            if host_port and task.id not in host_port.tasks:
                continue
            for port in dict.fromkeys((p.port, host_port.inside) if host_port else (p.port, *inside)):
                yield probing.SeenSpec(p.id, task.id, p.protocol, port, outside[p.id].sport)


def _in_order(answer: probing.SeenAnswer, asked: Sequence[probing.SeenSpec]) -> Sequence[probing.SeenResult]:
    """One per question, in its order; an agent that answers otherwise has said nothing."""
    ids = [question.id for question in asked]
    return answer.probes if [told.id for told in answer.probes] == ids else [probing.SeenResult(i) for i in ids]
