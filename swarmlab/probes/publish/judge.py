"""When "open from outside" and "closed from outside" are proven. Who answers a published port is a task; anybody else
is a leak.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from swarmlab.model.check import Check, Verdict
from swarmlab.model.evidence import Evidence, Outcome
from swarmlab.model.expectation import Expectation
from swarmlab.model.host import OUTSIDE
from swarmlab.model.kinds import ALLOW
from swarmlab.model.probe import Probe, ProbePlan
from swarmlab.model.scenario import Scenario
from swarmlab.probes.publish.plan import INGRESS, HostPort
from swarmlab.probes.publish.run import Seen, TaskSaw
from swarmlab.probes.session.endpoints import WORKLOADS
from swarmlab.probes.session.merge import SEEN
from swarmlab.probes.traffic.deny import captures_are_whole, something_was_measured
from swarmlab.probes.traffic.facts import Facts

Judged = tuple[Verdict, str, str]
UNKNOWN: TaskSaw = (None, None)
OURS, APPLICATION = (
    "the agent's listener in the task's namespace (the application has not taken that port)",
    "the task's application",
)
NOBODY_KNOWN = "somebody: no task's capture saw the request"


class Published:
    """What was seen of one run's host ports; `host ports` are by probe id, `again` those of probes that repeat
    another's. What the main run knows of captures: `sighted` are tasks where they do see TCP requests, `blind` (task,
    protocol) where they missed one that was answered.
    """

    def __init__(
        self,
        scenario: Scenario,
        plan: ProbePlan,
        seen: Seen,
        host_ports: Mapping[int, HostPort],
        again: Mapping[int, HostPort] | None = None,
        *,
        sighted: frozenset[str] = frozenset(),
        capture_missed: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        self.facts, self.seen, self.host_ports = Facts(scenario, plan, seen.measurement), seen, host_ports
        self._controls = {(self.facts.host(p.target), p.protocol): p for p in plan.probes if p.purpose == "control"}
        self._probes = {p.id: p for p in plan.probes}
        self.capture_missed, self._tried = capture_missed, dict[HostPort, list[Probe]]()
        for id_, host_port in {**host_ports, **(again or {})}.items():
            self._tried.setdefault(host_port, []).append(self._probes[id_])
        self._sighted = sighted | {task for by in seen.tasks.values() for task, (came, _) in by.items() if came}

    def checks(self) -> list[Check]:
        """One for each host port."""
        return [self._check(self._probes[id_], host_port) for id_, host_port in self.host_ports.items()]

    def evidence(self, probe: Probe) -> Evidence:
        """That the host's capture saw the request does not make the host the one who answered it."""
        e = self.facts.evidence(probe)
        return replace(e, responder="", detail="") if e.detail == SEEN else e

    def task_saw(self, probe: Probe, task: str) -> TaskSaw:
        """Whether the request came through to a task, and whether an answer left it."""
        return self.seen.tasks.get(probe.id, {}).get(task, UNKNOWN)

    def takers(self, probe: Probe) -> list[str]:
        """Tasks that saw the request."""
        return [task for task, (came, _) in self.seen.tasks.get(probe.id, {}).items() if came]

    def by(self, probe: Probe, host_port: HostPort) -> str:
        """Who took the request: whoever named itself, else whose capture saw it; "" when that is not known."""
        takers = self.takers(probe)
        return (
            self.seen.answers.get(probe.id, "")
            or next((t for t in takers if t in host_port.tasks), "")
            or next(iter(takers), "")
        )

    def tried(self, host_port: HostPort) -> list[Probe]:
        """Every probe of that host port."""
        return self._tried.get(host_port, [])

    def ends_at_the_host(self, host_port: HostPort) -> bool:
        """Each connection was accepted, nothing came of it, and no task saw it, though their captures do see.

        The engine keeps a port of the mesh with a listener that nobody attends to. That a task did not see one alone
        says less: where much goes on, the mesh gives a request another source port than its own.
        """
        return host_port.mode == INGRESS and all(self._unattended(probe, host_port) for probe in self.tried(host_port))

    def _unattended(self, probe: Probe, host_port: HostPort) -> bool:
        looked = all(self.task_saw(probe, task)[0] is False and task in self._sighted for task in host_port.tasks)
        return probe.id in self.seen.silent and not self.takers(probe) and looked

    def control(self, host_port: HostPort) -> Probe | None:
        """The twin at the same host, by the same protocol."""
        return self._controls.get((host_port.host, host_port.protocol))

    def control_answered(self, host_port: HostPort) -> bool:
        """By the host itself, as it names itself."""
        control = self.control(host_port)
        return control is not None and self.facts.answered(control, self.facts.evidence(control))

    def _check(self, probe: Probe, host_port: HostPort) -> Check:
        e, evidence = host_port.expectation, self.evidence(probe)
        verdict, observed, text = (judge_open if host_port.expected == ALLOW else judge_shut)(
            self, probe, host_port, evidence
        )
        return Check(
            id=f"publish:{OUTSIDE}->{e.target or 'anybody'}@{host_port.host}/{host_port.protocol}:{host_port.said}",
            kind="publish",
            source=OUTSIDE,
            target=e.target or f"host:{host_port.host}",
            network=INGRESS if host_port.mode == INGRESS else "",
            protocol=host_port.protocol,
            port=host_port.port,
            expected=host_port.expected,
            observed=observed,
            verdict=verdict,
            because=host_port.because,
            explanation=text,
            source_service=OUTSIDE,
            target_service=e.target,
            source_host="",
            target_host=host_port.host,
            evidence=self._shown(probe, host_port, evidence),
        )

    def _shown(self, probe: Probe, host_port: HostPort, evidence: Evidence) -> dict[str, object]:
        answered = probe.id in self.seen.answers
        responder = self.seen.answers.get(probe.id, "")
        control = self.control(host_port)
        return {
            "outcome": "answered" if answered else str(evidence.outcome),
            "responder": responder,
            "latency_ms": evidence.latency_ms,
            "left": evidence.left,
            "via": evidence.via,
            "seen": evidence.seen,
            "answer_left": evidence.answer_left,
            "sends": evidence.sends,
            "lost_records": evidence.lost_records,
            "detail": evidence.detail,
            "address": probe.address,
            "mode": host_port.mode,
            "port_inside": host_port.inside,
            "answered_by": (
                "" if not answered else OURS if responder else APPLICATION if self.takers(probe) else NOBODY_KNOWN
            ),
            "came_through_to": self.takers(probe),
            "controls": [self.facts.control(f"{OUTSIDE} reaches {host_port.host}", control)] if control else [],
        }


def judge_open(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> Judged:
    """An answer by a task that may give it; a handshake alone may be the engine's own proxy, so a task must have seen
    the request.
    """
    if probe.id in p.seen.answers:
        return _answered(p, probe, host_port, p.seen.answers[probe.id])
    missing = next(filter(None, (look(p, probe, host_port, evidence) for look in UNMEASURABLE)), "")
    if missing:
        return Verdict.INCONCLUSIVE, "unknown", f"Not measured: {missing}."
    return Verdict.FAIL, "deny", _where_lost(p, probe, host_port, evidence)


def _answered(p: Published, probe: Probe, host_port: HostPort, responder: str) -> Judged:
    where = f"{probe.address}:{host_port.port} of {host_port.host}"
    by = p.by(probe, host_port)
    unsound = p.facts.unsound(by) if by in host_port.tasks and not responder else ""
    if unsound:  # the kernel completes handshakes for a process that is stopped
        return Verdict.INCONCLUSIVE, "unknown", f"The connection to {where} was accepted, but {unsound}."
    if by in host_port.tasks:
        return Verdict.PASS, "allow", ""
    if by:
        return Verdict.FAIL, "deny", f"{by} answered at {where}, in place of {' or '.join(host_port.tasks)}."
    if p.ends_at_the_host(host_port):
        cannot = mesh_cannot_work(p, host_port)
        how = f"accepted connections and said nothing, and no task saw any: {cannot or f'nothing at {host_port.host} leads them into the mesh'}"
        return (
            (Verdict.INCONCLUSIVE, "unknown", f"{where} {how}.")
            if cannot
            else (Verdict.FAIL, "deny", f"{where} {how}.")
        )
    whose = f"no capture of {' or '.join(host_port.tasks)} saw the request"
    return Verdict.INCONCLUSIVE, "unknown", f"Something answered at {where}, and it is not known who: {whose}."


def _was_measured(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    return something_was_measured(p.facts, probe, evidence)


def mesh_cannot_work(p: Published, host_port: HostPort) -> str:
    """Why silence of a port of the mesh says nothing at that host; "" when it does."""
    if host_port.mode == INGRESS and "ip_vs" in p.facts.measurement.missing_features.get(host_port.host, ()):
        return f"the kernel of {host_port.host} has no IP_VS, so the routing mesh does not work there"
    return ""


def _mesh_can_work(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    return mesh_cannot_work(p, host_port)


def _outside_is_sound(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    return p.facts.unsound(OUTSIDE)


def _tasks_are_sound(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    return next(filter(None, map(p.facts.unsound, host_port.tasks)), "")


def _left(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    if evidence.left:
        return ""
    return (
        f"the request never left {OUTSIDE}"
        if evidence.left is False
        else f"it is not known that the request left {OUTSIDE}"
    )


def _way_is_open(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    """The request arrived at the host, or the host answered another one: else it is the way there that is broken, or
    the external client.
    """
    if evidence.seen or p.control_answered(host_port):
        return ""
    return f"{OUTSIDE} got no {host_port.protocol} answer from {host_port.host} at all, and the request did not arrive there"


def _datagram_is_understood(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    """An application need not answer a datagram that it does not understand."""
    silent = [task for task in p.takers(probe) if task in host_port.tasks and p.task_saw(probe, task)[1] is not True]
    if host_port.protocol == "udp" and silent:
        return f"the datagram came through to {silent[0]}, whose application did not answer it"
    return ""


Look = Callable[[Published, Probe, HostPort, Evidence], str]
UNMEASURABLE: tuple[Look, ...] = (
    _outside_is_sound,
    _was_measured,
    _mesh_can_work,
    _tasks_are_sound,
    _left,
    _way_is_open,
    _datagram_is_understood,
)


def _where_lost(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    saw = {Outcome.REFUSED: "refused", Outcome.TIMED_OUT: "no answer in time"}.get(
        evidence.outcome, str(evidence.outcome)
    )
    takers = p.takers(probe)
    if takers and p.task_saw(probe, takers[0])[1]:
        how = f"the request came through to {takers[0]}, whose answer was lost on the way back"
    elif takers:
        how = f"the request came through to {takers[0]}, which did not answer"
    elif evidence.seen:
        how = f"the request arrived at {host_port.host}, and no task saw it: see the rules of its firewall, and that its engine publishes the port"
    elif evidence.seen is False:
        how = f"the request was lost on the way to {host_port.host}, which does answer others"
    else:
        how = "where it was lost is not known"
    return f"{OUTSIDE} to {probe.address}:{host_port.port} of {host_port.host} by {host_port.protocol}: {saw}; {how}."


def judge_shut(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> Judged:
    """Any answer, or a task that saw the request, is a violation; a pass needs every condition."""
    where = f"{probe.address}:{host_port.port} of {host_port.host}"
    takers = p.takers(probe)
    if probe.id in p.seen.answers:
        by = p.seen.answers[probe.id] or next(iter(takers), "") or "something that is no task of the stack"
        return Verdict.FAIL, "allow", f"{where} answered {OUTSIDE}, although it must not; {by} did."
    if takers:
        return (
            Verdict.FAIL,
            "allow",
            f"The request for {where} came through to {takers[0]}, though no answer came back ({evidence.outcome}).",
        )
    missing = list(dict.fromkeys(filter(None, (condition(p, probe, host_port, evidence) for condition in CONDITIONS))))
    if missing:
        return Verdict.INCONCLUSIVE, "unknown", f"Not proven: {'; '.join(missing)}."
    how = "it was refused" if evidence.outcome is Outcome.REFUSED else "nothing answered"
    return Verdict.PASS, "deny", f"The request arrived at {host_port.host}, no task there saw it, and {how}."


def _host_is_sound(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    return p.facts.unsound(probe.target)


def _captures_are_whole(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    return captures_are_whole(p.facts, probe, evidence)


def _arrived(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    """A port that something on the way keeps shut says nothing about the host."""
    if evidence.seen:
        return ""
    return (
        f"the request never arrived at {host_port.host}"
        if evidence.seen is False
        else f"it is not known that it arrived at {host_port.host}"
    )


def _control_was_answered(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    return (
        ""
        if p.control_answered(host_port)
        else f"{host_port.host} did not answer {OUTSIDE} by {host_port.protocol} in this run where it should"
    )


def _tasks_saw_nothing(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    """Looked for at every task of that host, or that the mesh leads to, and not there; "not looked" is not enough."""
    tasks = (e for e in p.facts.plan.endpoints.values() if e.role in WORKLOADS)
    here = [e.id for e in tasks if e.host == host_port.host or any(a.network == INGRESS for a in e.addresses)]
    unknown = [
        task
        for task in here
        if p.task_saw(probe, task)[0] is not False or (task, host_port.protocol) in p.capture_missed
    ]
    return f"it is not known whether {unknown[0]} saw the request" if unknown else ""


CONDITIONS: tuple[Look, ...] = (
    _outside_is_sound,
    _host_is_sound,
    _was_measured,
    _captures_are_whole,
    _left,
    _arrived,
    _control_was_answered,
    _tasks_saw_nothing,
)


def unmeasured(e: Expectation, reason: str) -> Check:
    """An expectation of which some or all cannot be tried: said aloud, never dropped."""
    said = e.name.replace(":", "-") if e.name and not e.port else str(e.port)
    return Check(
        id=f"publish:{OUTSIDE}->{e.target or 'anybody'}/{e.protocol}:{said}",
        kind="publish",
        source=OUTSIDE,
        target=e.target,
        network="",
        protocol=e.protocol,
        port=e.port,
        expected=e.expected,
        observed="unknown",
        verdict=Verdict.INCONCLUSIVE,
        because=e.because,
        explanation=f"Nothing to measure: {reason}.",
        source_service=OUTSIDE,
        target_service=e.target,
    )
