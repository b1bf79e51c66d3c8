"""Published ports: which host ports there are, and the truth tables of "open" and "closed", one condition knocked out
at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from swarmlab.model.check import Check, Verdict
from swarmlab.model.evidence import Evidence, Measurement, Outcome
from swarmlab.model.expectation import Expectation
from swarmlab.model.host import OUTSIDE
from swarmlab.model.kinds import ALLOW, DENY
from swarmlab.model.probe import Address, Endpoint, PortInUse, Probe, ProbePlan
from swarmlab.model.scenario import PublishedPort, Scenario
from swarmlab.probes.publish.findings import publish_findings
from swarmlab.probes.publish.judge import port_checks
from swarmlab.probes.publish.plan import (
    MOST_PORTS,
    HostPort,
    HostPorts,
    Unmeasured,
    controls,
    inner_ports,
    probe_of,
    watched_ports,
)
from swarmlab.probes.publish.published import Published
from swarmlab.probes.publish.run import PublishMeasurement, TaskSaw
from swarmlab.probes.session.endpoints import EndpointIndex
from swarmlab.probes.session.merge import SEEN
from swarmlab.scenario.derive_publish import published
from tests.unit.probes.labs import PORT, RUN, scenario, service, task

HOSTS = ("host1", "host2", "host3")
ADDRESSES = {host: f"172.30.0.{i}" for i, host in enumerate(HOSTS, 1)}
OPEN, SHUT = "publish:outside->web@host1/tcp:8080", "publish:outside->web@host3/tcp:8080"
MESH = "publish:outside->web@host3/tcp:8443"
PORTS = (PublishedPort(80, 8080, "tcp", "host"), PublishedPort(443, 8443, "tcp", "ingress"))


def lab(*ports: PublishedPort, replicas: int = 2, also: Sequence[Expectation] = ()) -> Scenario:
    web = replace(service("web", "front-net", replicas=replicas), ports=ports or PORTS)
    made = scenario(web, service("db", "front-net"))
    return replace(made, expectations=(*also, *published(made.services, made.networks)))


ENDPOINTS = (
    task("web.1", "host1", ("10.0.1.3", "front-net")),
    task("web.2", "host2", ("10.0.1.4", "front-net")),
    task("db.1", "host3", ("10.0.1.5", "front-net")),
    *(Endpoint(f"host:{h}", h, "host", addresses=(Address(a, "underlay"),)) for h, a in ADDRESSES.items()),
)


def host_ports(made: Scenario, in_use: Sequence[PortInUse] = ()) -> tuple[dict[str, HostPort], list[Unmeasured]]:
    tried = HostPorts(EndpointIndex(made, ENDPOINTS), in_use).all(made.expectations)
    gaps = [t for t in tried if isinstance(t, Unmeasured)]
    return {f"{d.host}/{d.protocol}:{d.said}": d for d in tried if isinstance(d, HostPort)}, gaps


def test_a_host_port_is_open_where_a_task_runs_an_ingress_port_everywhere_and_all_else_is_shut() -> None:
    found, gaps = host_ports(lab())
    assert gaps == []
    assert {said for said, d in found.items() if d.expected == ALLOW} == {
        "host1/tcp:8080", "host2/tcp:8080", "host1/tcp:8443", "host2/tcp:8443", "host3/tcp:8443",
    }  # fmt: skip
    shut = {said for said, d in found.items() if d.expected == DENY}
    assert shut == {"host3/tcp:8080"} | {f"{h}/tcp:{p}" for h in HOSTS for p in ("80", "443", "unused")}
    assert (found["host1/tcp:8080"].tasks, found["host3/tcp:8443"].tasks) == (("web.1",), ("web.1", "web.2"))
    assert "no task of web runs on host3" in found["host3/tcp:8080"].because


def test_a_port_of_the_engines_choice_is_read_from_the_engine() -> None:
    made = lab(PublishedPort(80, 0, "tcp", "host"), PublishedPort(443, 0, "tcp", "ingress"))
    in_use = (
        PortInUse(service="web", protocol="tcp", published=30000, target=443, host=""),
        PortInUse(service="web", protocol="tcp", published=32768, target=80, host="host1"),
        PortInUse(service="web", protocol="tcp", published=32769, target=80, host="host2"),
    )
    found, gaps = host_ports(made, in_use)
    assert gaps == []
    assert (found["host2/tcp:any-80"].port, found["host3/tcp:any-443"].port) == (32769, 30000)
    assert {said: d.port for said, d in found.items() if said.startswith("host3/tcp:any-80")} == {
        "host3/tcp:any-80-of-host1": 32768, "host3/tcp:any-80-of-host2": 32769,
    }  # fmt: skip
    _, silent = host_ports(made)
    assert {gap.reason.split(" it chose")[0] for gap in silent} == {
        "the engine does not say which port",
        "the engine does not say which port of host1",
        "the engine does not say which port of host2",
    }


def test_what_cannot_be_tried_is_said() -> None:
    _, gaps = host_ports(
        lab(PublishedPort(80, 8080, "sctp", "host"), PublishedPort(80, 8080, "tcp", "host"), replicas=3)
    )
    assert [gap.reason for gap in gaps] == [
        "sctp is not measured, only tcp and udp",
        "only 2 of 3 tasks of web are running",
        "sctp is not measured, only tcp and udp",
    ]


def test_a_run_tries_no_more_ports_than_a_capture_can_filter() -> None:
    made = lab(*(PublishedPort(1000 + i, 9000 + i, "tcp", "host") for i in range(MOST_PORTS + 5)))
    found, gaps = host_ports(made)
    assert len({d.port for d in found.values()}) == MOST_PORTS
    assert any(f"{MOST_PORTS} different ports" in gap.reason for gap in gaps)
    for endpoint in ENDPOINTS:
        here = list(found.values())
        assert len({*inner_ports(here, endpoint), *watched_ports(here, (), endpoint)}) < 64


def test_an_explicit_deny_shuts_a_published_port_and_a_port_that_two_services_share_is_shut_for_neither() -> None:
    made = lab(PublishedPort(80, 8080, "tcp", "host"))
    denied = replace(
        made,
        expectations=tuple(
            replace(e, expected=DENY, derived=False) if e.port == 8080 else e for e in made.expectations
        ),
    )
    assert {d.expected for said, d in host_ports(denied)[0].items() if said.endswith(":8080")} == {DENY}
    web = made.services["web"]
    both = replace(made, services={**made.services, "db": replace(made.services["db"], ports=web.ports)})
    both = replace(both, expectations=tuple(published(both.services, both.networks)))
    assert {said: (d.expected, d.tasks) for said, d in host_ports(both)[0].items() if said.endswith(":8080")} == {
        "host1/tcp:8080": (ALLOW, ("web.1",)),
        "host2/tcp:8080": (ALLOW, ("web.2",)),
        "host3/tcp:8080": (ALLOW, ("db.1",)),
    }


@dataclass(frozen=True)
class Case:
    """One run from outside, and what was seen of it."""

    made: Scenario
    plan: ProbePlan
    host_ports: dict[int, HostPort]
    seen: PublishMeasurement

    def probe(self, id_: str) -> Probe:
        by_id = dict(zip((c.id for c in self.checks()), self.host_ports, strict=True))
        return self.plan.probes[by_id[id_]]

    def checks(
        self, captures_work: frozenset[str] = frozenset(), capture_missed: frozenset[tuple[str, str]] = frozenset()
    ) -> list[Check]:
        known = {"captures_work": captures_work, "capture_missed": capture_missed}
        return port_checks(Published(self.made, self.plan, self.seen, self.host_ports, **known))  # type: ignore[arg-type]

    def check(self, id_: str) -> Check:
        return next(c for c in self.checks() if c.id == id_)

    def evidence(self, id_: str, **more: object) -> Case:
        """That probe's evidence from the sender and the host, changed; not answered any more."""
        probe = self.probe(id_)
        before = self.seen.measurement.probes
        probes = {**before, probe.id: replace(before[probe.id], **more)}  # type: ignore[arg-type]
        answers = {i: who for i, who in self.seen.answers.items() if i != probe.id}
        return replace(
            self, seen=PublishMeasurement(replace(self.seen.measurement, probes=probes), answers, self.seen.tasks)
        )

    def unanswered(self, id_: str, outcome: Outcome = Outcome.TIMED_OUT, **more: object) -> Case:
        return self.evidence(id_, outcome=outcome, responder="", detail="", **more).came_to(id_)

    def answered(self, id_: str, by: str) -> Case:
        return replace(self, seen=replace(self.seen, answers={**self.seen.answers, self.probe(id_).id: by}))

    def came_to(self, id_: str, **tasks: TaskSaw) -> Case:
        """Which tasks' captures saw it (web1 for web.1)."""
        all_ = dict.fromkeys(("web.1", "web.2", "db.1"), (False, False)) | {
            f"{k[:-1]}.{k[-1]}": s for k, s in tasks.items()
        }
        return replace(self, seen=replace(self.seen, tasks={**self.seen.tasks, self.probe(id_).id: all_}))

    def measured(self, **more: object) -> Case:
        return replace(self, seen=replace(self.seen, measurement=replace(self.seen.measurement, **more)))  # type: ignore[arg-type]

    def control(self, host: str, outcome: Outcome) -> Case:
        ids = [p.id for p in self.plan.probes if p.purpose == "control" and p.target == f"host:{host}"]
        probes = {**self.seen.measurement.probes, **{i: Evidence(i, outcome, left=True, seen=False) for i in ids}}
        return self.measured(probes=probes)

    def impaired(self, id_: str) -> Case:
        endpoints = {**self.plan.endpoints, id_: replace(self.plan.endpoints[id_], impaired="its container is paused")}
        return replace(self, plan=replace(self.plan, endpoints=endpoints))


def proven() -> Case:
    """Every open host port answered by an application that saw the request, every shut one refused by its host."""
    made = lab()
    found = list(host_ports(made)[0].values())
    outside = Endpoint(OUTSIDE, OUTSIDE, "outside", addresses=(Address("172.30.0.10", "underlay"),))
    probes = [probe_of(i, d, ADDRESSES) for i, d in enumerate(found)]
    probes += controls(found, len(probes), PORT, ADDRESSES)
    plan = ProbePlan(
        endpoints={**{e.id: e for e in ENDPOINTS}, OUTSIDE: outside},
        probes=tuple(probes),
        names=(),
        port=PORT,
        run=RUN,
        timeout=1.0,
    )
    evidence, answers, tasks = {}, {}, {}
    for p in probes:
        host_port = found[p.id] if p.id < len(found) else None
        none: dict[str, TaskSaw] = dict.fromkeys(("web.1", "web.2", "db.1"), (False, False))
        if host_port is None:
            evidence[p.id] = Evidence(p.id, Outcome.ANSWERED, responder=p.target, latency_ms=0.2, left=True, sends=1)
        elif host_port.expected == ALLOW:
            evidence[p.id] = Evidence(
                p.id, Outcome.ANSWERED, responder=p.target, latency_ms=0.2, left=True, seen=True, detail=SEEN
            )
            answers[p.id], tasks[p.id] = "", {**none, host_port.tasks[0]: (True, True)}
        else:
            evidence[p.id] = Evidence(p.id, Outcome.REFUSED, left=True, seen=True, answer_left=True)
            tasks[p.id] = none
    return Case(made, plan, dict(enumerate(found)), PublishMeasurement(Measurement(evidence), answers, tasks))


def test_everything_as_it_should_be_passes_and_the_host_is_never_called_the_responder() -> None:
    checks = proven().checks()
    assert {c.verdict for c in checks} == {Verdict.PASS}
    assert len({c.id for c in checks}) == len(checks)
    open_ = proven().check(OPEN)
    assert (
        open_.source_host,
        open_.target_host,
        open_.evidence.to_json()["responder"],
        open_.evidence.to_json()["came_through_to"],
    ) == (
        "",
        "host1",
        "",
        ["web.1"],
    )
    assert publish_findings(checks, []) == ()


Change = Callable[[Case], Case]
UNANSWERED: Change = lambda c: c.unanswered(OPEN, left=True, seen=True)  # noqa: E731
OPEN_TABLE: dict[str, tuple[Change, Verdict, str]] = {
    "our listener answered": (lambda c: c.came_to(OPEN).answered(OPEN, "web.1"), Verdict.PASS, ""),
    "another host's task answered": (lambda c: c.came_to(OPEN).answered(OPEN, "web.2"), Verdict.FAIL, "web.2 answered"),
    "another service's application answered": (
        lambda c: c.came_to(OPEN, db1=(True, True)),
        Verdict.FAIL,
        "db.1 answered",
    ),
    "a handshake that no task saw": (lambda c: c.came_to(OPEN), Verdict.INCONCLUSIVE, "it is not known who"),
    "the task is paused": (lambda c: c.impaired("web.1"), Verdict.INCONCLUSIVE, "its container is paused"),
    "dropped at the host": (UNANSWERED, Verdict.FAIL, "arrived at host1, and no task saw it"),
    "refused by the host": (
        lambda c: c.unanswered(OPEN, Outcome.REFUSED, left=True, seen=True),
        Verdict.FAIL,
        "refused; the request arrived at host1",
    ),
    "lost on the way, others get there": (
        lambda c: c.unanswered(OPEN, left=True, seen=False),
        Verdict.FAIL,
        "lost on the way to host1",
    ),
    "lost on the way, nobody gets there": (
        lambda c: c.unanswered(OPEN, left=True, seen=False).control("host1", Outcome.TIMED_OUT),
        Verdict.INCONCLUSIVE,
        "at all",
    ),
    "arrived, and no control": (
        lambda c: UNANSWERED(c).control("host1", Outcome.TIMED_OUT),
        Verdict.FAIL,
        "arrived at host1",
    ),
    "the answer was lost": (
        lambda c: UNANSWERED(c).came_to(OPEN, web1=(True, True)),
        Verdict.FAIL,
        "answer was lost on the way back",
    ),
    "never left": (lambda c: c.unanswered(OPEN, left=False, seen=False), Verdict.INCONCLUSIVE, "never left outside"),
    "perhaps never left": (
        lambda c: c.unanswered(OPEN, left=None, seen=None),
        Verdict.INCONCLUSIVE,
        "not known that the request left",
    ),
    "outside is dead": (
        lambda c: UNANSWERED(c).measured(dead_hosts={OUTSIDE: "killed"}),
        Verdict.INCONCLUSIVE,
        "the agent on outside is gone (killed)",
    ),
    "nothing was sent": (lambda c: c.unanswered(OPEN, Outcome.SEND_ERROR), Verdict.INCONCLUSIVE, "send error"),
    "its task is paused": (lambda c: UNANSWERED(c).impaired("web.1"), Verdict.INCONCLUSIVE, "its container is paused"),
    "no IPVS does not excuse a host port": (
        lambda c: UNANSWERED(c).measured(missing_features={"host1": ("ip_vs",)}),
        Verdict.FAIL,
        "arrived",
    ),
}


@pytest.mark.parametrize("name", OPEN_TABLE)
def test_open(name: str) -> None:
    change, verdict, text = OPEN_TABLE[name]
    check = change(proven()).check(OPEN)
    assert (check.verdict, text in check.explanation) == (verdict, True), check.explanation


def test_the_mesh_needs_ipvs_unless_it_really_answers() -> None:
    lacking = proven().measured(missing_features=dict.fromkeys(HOSTS, ("ip_vs",)))
    assert lacking.check(MESH).verdict is Verdict.PASS
    silent = lacking.unanswered(MESH, Outcome.REFUSED, left=True, seen=True).check(MESH)
    assert (silent.verdict, "no IP_VS" in silent.explanation) == (Verdict.INCONCLUSIVE, True)
    assert silent.network == "ingress"
    assert proven().unanswered(MESH, left=True, seen=True).check(MESH).verdict is Verdict.FAIL


def test_a_datagram_that_an_application_does_not_answer_is_not_a_fault() -> None:
    case = proven()
    udp = {
        i: replace(d, protocol="udp") if d.said == "8080" and d.host == "host1" else d
        for i, d in case.host_ports.items()
    }
    id_ = OPEN.replace("tcp", "udp")
    case = replace(case, host_ports=udp).unanswered(id_, left=True, seen=True).came_to(id_, web1=(True, False))
    case = case.measured(probes={**case.seen.measurement.probes})
    controls_ = tuple(
        replace(p, protocol="udp") if p.purpose == "control" and p.target == "host:host1" else p
        for p in case.plan.probes
    )
    check = replace(case, plan=replace(case.plan, probes=controls_)).check(id_)
    assert (check.verdict, "did not answer it" in check.explanation) == (Verdict.INCONCLUSIVE, True)


SHUT_TABLE: dict[str, tuple[Change, Verdict, str]] = {
    "silently dropped": (lambda c: c.unanswered(SHUT, left=True, seen=True), Verdict.PASS, "nothing answered"),
    "somebody answers": (lambda c: c.answered(SHUT, ""), Verdict.FAIL, "no task of the stack did"),
    "a task answers": (lambda c: c.answered(SHUT, "web.1"), Verdict.FAIL, "web.1 did"),
    "a task saw it": (lambda c: c.came_to(SHUT, web1=(True, False)), Verdict.FAIL, "came through to web.1"),
    "outside is dead": (
        lambda c: c.measured(dead_hosts={OUTSIDE: "killed"}),
        Verdict.INCONCLUSIVE,
        "agent on outside is gone",
    ),
    "the host is dead": (
        lambda c: c.measured(dead_hosts={"host3": "killed"}),
        Verdict.INCONCLUSIVE,
        "agent on host3 is gone",
    ),
    "nothing was sent": (lambda c: c.unanswered(SHUT, Outcome.SEND_ERROR), Verdict.INCONCLUSIVE, "send error"),
    "the sender died": (lambda c: c.unanswered(SHUT, Outcome.SENDER_DEAD), Verdict.INCONCLUSIVE, "sender dead"),
    "the host's listener is dead": (
        lambda c: c.unanswered(SHUT, Outcome.LISTENER_DEAD),
        Verdict.INCONCLUSIVE,
        "listener dead",
    ),
    "captures dropped records": (
        lambda c: c.unanswered(SHUT, lost_records=3),
        Verdict.INCONCLUSIVE,
        "dropped 3 records",
    ),
    "never left": (lambda c: c.unanswered(SHUT, left=False), Verdict.INCONCLUSIVE, "never left outside"),
    "perhaps never left": (
        lambda c: c.unanswered(SHUT, left=None),
        Verdict.INCONCLUSIVE,
        "not known that the request left",
    ),
    "no route": (
        lambda c: c.unanswered(SHUT, Outcome.NO_ROUTE, left=False, seen=False),
        Verdict.INCONCLUSIVE,
        "never left outside",
    ),
    "never arrived": (
        lambda c: c.unanswered(SHUT, left=True, seen=False),
        Verdict.INCONCLUSIVE,
        "never arrived at host3",
    ),
    "perhaps never arrived": (
        lambda c: c.unanswered(SHUT, seen=None),
        Verdict.INCONCLUSIVE,
        "not known that it arrived",
    ),
    "no control": (
        lambda c: c.control("host3", Outcome.TIMED_OUT),
        Verdict.INCONCLUSIVE,
        "did not answer outside by tcp",
    ),
    "a control that somebody else answered": (
        lambda c: c.measured(probes={i: replace(e, responder="x") for i, e in c.seen.measurement.probes.items()}),
        Verdict.INCONCLUSIVE,
        "did not answer outside by tcp",
    ),
    "a task there was not asked": (
        lambda c: c.came_to(SHUT, db1=(None, None)),
        Verdict.INCONCLUSIVE,
        "whether db.1 saw the request",
    ),
    "a task elsewhere was not asked": (lambda c: c.came_to(SHUT, web1=(None, None)), Verdict.PASS, ""),
}


@pytest.mark.parametrize("name", SHUT_TABLE)
def test_shut(name: str) -> None:
    change, verdict, text = SHUT_TABLE[name]
    check = change(proven()).check(SHUT)
    assert (check.verdict, text in check.explanation) == (verdict, True), check.explanation


def test_what_the_mesh_could_have_taken_to_another_host_is_looked_for_there_too() -> None:
    case = proven().came_to(SHUT, web1=(None, None))
    meshed = replace(case.plan.endpoints["web.1"], addresses=(Address("10.0.0.7", "ingress"),))
    check = replace(case, plan=replace(case.plan, endpoints={**case.plan.endpoints, "web.1": meshed})).check(SHUT)
    assert (check.verdict, "whether web.1 saw the request" in check.explanation) == (Verdict.INCONCLUSIVE, True)


def test_a_capture_that_missed_a_request_vouches_for_no_closed_port() -> None:
    seen = proven().checks(capture_missed=frozenset({("db.1", "tcp")}))
    shut = {c.target_host: c.verdict for c in seen if c.expected == DENY}
    assert shut == {"host1": Verdict.PASS, "host2": Verdict.PASS, "host3": Verdict.INCONCLUSIVE}


ALL = frozenset({"web.1", "web.2"})
ENDS_AT_THE_HOST: dict[str, tuple[Change, frozenset[str], Verdict]] = {
    "accepted, nothing said, and every capture sees": (lambda c: c, ALL, Verdict.FAIL),
    "a capture that may see nothing": (lambda c: c, ALL - {"web.2"}, Verdict.INCONCLUSIVE),
    "a capture that lost something": (lambda c: c.came_to(MESH, web2=(None, None)), ALL, Verdict.INCONCLUSIVE),
    "something was said": (lambda c: replace(c, seen=replace(c.seen, silent=frozenset())), ALL, Verdict.INCONCLUSIVE),
    "a kernel without a mesh": (
        lambda c: c.measured(missing_features={"host3": ("ip_vs",)}),
        ALL,
        Verdict.INCONCLUSIVE,
    ),
    "a task saw it": (lambda c: c.came_to(MESH, web2=(True, True)), ALL, Verdict.PASS),
}


@pytest.mark.parametrize("name", ENDS_AT_THE_HOST)
def test_a_connection_that_nobody_attends_to_is_not_an_open_port_of_the_mesh(name: str) -> None:
    """The engine keeps the port with a listener of its own; without the rule that leads into the mesh, connections end
    there.
    """
    change, captures_work, verdict = ENDS_AT_THE_HOST[name]
    case = proven().came_to(MESH)
    case = change(replace(case, seen=replace(case.seen, silent=frozenset({case.probe(MESH).id}))))
    case = replace(
        case, seen=replace(case.seen, tasks={i: by for i, by in case.seen.tasks.items() if i == case.probe(MESH).id})
    )
    (check,) = (c for c in case.checks(captures_work) if c.id == MESH)
    assert check.verdict is verdict, check.explanation
    assert ("somebody" in str(check.evidence.to_json()["answered_by"])) == (verdict is not Verdict.PASS)


def test_findings_name_the_port_and_its_hosts() -> None:
    case = UNANSWERED(proven()).answered(SHUT, "")
    found = publish_findings(case.checks(), [])
    assert [(f.id, f.severity, f.hosts) for f in found] == [
        ("port-open:8080/tcp", "isolation", ("host3",)), ("port-shut:8080/tcp", "connectivity", ("host1",)),
    ]  # fmt: skip
