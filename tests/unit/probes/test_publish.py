"""Published ports: the truth tables of "open" and "closed", one condition knocked out at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from swarmlab.model.check import Verdict
from swarmlab.model.evidence import Outcome
from swarmlab.model.host import OUTSIDE
from swarmlab.model.kinds import DENY
from swarmlab.model.probe import Address
from swarmlab.probes.publish.findings import publish_findings
from tests.unit.probes.ports import HOSTS, MESH, OPEN, SHUT, Change, proven


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
