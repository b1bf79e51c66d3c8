"""Both sides of what was tried from outside, by port of one host. Knows nothing of what is expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from swarmlab.model.evidence import Evidence
from swarmlab.model.kinds import IPVS
from swarmlab.model.probe import Probe, ProbePlan
from swarmlab.model.scenario import INGRESS, Scenario
from swarmlab.probes.publish.plan import HostPort
from swarmlab.probes.publish.run import PublishMeasurement, TaskSaw
from swarmlab.probes.session.merge import SEEN
from swarmlab.probes.traffic.facts import Facts

NOT_KNOWN: TaskSaw = (None, None)


class Published:
    """What was seen of one run's host ports. `host_ports` are by probe id, `again` those of probes that repeat another.

    What the traffic stage knows of captures: `captures_work` are tasks whose capture did see a TCP request,
    `capture_missed` (task, protocol) where it missed one that was answered.
    """

    def __init__(
        self,
        scenario: Scenario,
        plan: ProbePlan,
        seen: PublishMeasurement,
        host_ports: Mapping[int, HostPort],
        again: Mapping[int, HostPort] | None = None,
        *,
        captures_work: frozenset[str] = frozenset(),
        capture_missed: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        self.facts, self.seen, self.host_ports = Facts(scenario, plan, seen.measurement), seen, host_ports
        self._controls = {(self.facts.host(p.target), p.protocol): p for p in plan.probes if p.purpose == "control"}
        self.probes = {p.id: p for p in plan.probes}
        self.capture_missed, self._tried = capture_missed, dict[HostPort, list[Probe]]()
        for id_, host_port in {**host_ports, **(again or {})}.items():
            self._tried.setdefault(host_port, []).append(self.probes[id_])
        saw_one = {task for by in seen.tasks.values() for task, (came, _) in by.items() if came}
        self._captures_work = captures_work | saw_one

    def evidence(self, probe: Probe) -> Evidence:
        """That the host's capture saw the request does not make the host the one who answered it."""
        e = self.facts.evidence(probe)
        return replace(e, responder="", detail="") if e.detail == SEEN else e

    def task_saw(self, probe: Probe, task: str) -> TaskSaw:
        """Whether the request came through to a task, and whether an answer left it."""
        return self.seen.tasks.get(probe.id, {}).get(task, NOT_KNOWN)

    def takers(self, probe: Probe) -> list[str]:
        """Tasks that saw the request."""
        return [task for task, (came, _) in self.seen.tasks.get(probe.id, {}).items() if came]

    def by(self, probe: Probe, host_port: HostPort) -> str:
        """Who took the request: whoever named itself, else whose capture saw it; "" when that is not known."""
        takers = self.takers(probe)
        expected = next((t for t in takers if t in host_port.tasks), "")
        return self.seen.answers.get(probe.id, "") or expected or next(iter(takers), "")

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
        looked = all(self.task_saw(probe, task)[0] is False and task in self._captures_work for task in host_port.tasks)
        return probe.id in self.seen.silent and not self.takers(probe) and looked

    def mesh_cannot_work(self, host_port: HostPort) -> str:
        """Why silence of a port of the mesh says nothing at that host; "" when it does."""
        missing = self.facts.measurement.missing_features.get(host_port.host, ())
        if host_port.mode == INGRESS and IPVS in missing:
            return f"the kernel of {host_port.host} has no IP_VS, so the routing mesh does not work there"
        return ""

    def control(self, host_port: HostPort) -> Probe | None:
        """The control at the same host, by the same protocol."""
        return self._controls.get((host_port.host, host_port.protocol))

    def control_answered(self, host_port: HostPort) -> bool:
        """By the host itself, as it names itself."""
        control = self.control(host_port)
        return control is not None and self.facts.answered(control, self.facts.evidence(control))
