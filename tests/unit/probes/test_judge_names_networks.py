"""Verdicts on names and on networks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from swarmlab.model.check import Check, Verdict
from swarmlab.model.evidence import Measurement, NameEvidence, NetworkEvidence, Outcome
from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import DENY, Kind
from swarmlab.model.scenario import LocalNetwork
from swarmlab.probes.traffic.plan import plan
from tests.unit.probes import labs
from tests.unit.probes.labs import (
    ENDPOINTS,
    THREE_TIER,
    honest,
    judge,
    name,
    renamed,
    scenario,
    service,
    task,
    three_tier,
)

NOTHING = (Outcome.TIMED_OUT, "", ())


def answered(rcode: str, *addresses: str) -> tuple[Outcome, str, tuple[str, ...]]:
    return Outcome.ANSWERED, rcode, addresses


def checked(id_: str, **answers: tuple[Outcome, str, tuple[str, ...]]) -> Check:
    """`front_1__db=…`: what front.1 got for db, controls included."""
    p, changes = three_tier(), []
    for key, (outcome, rcode, addresses) in answers.items():
        source, asked = key.replace("__", "/").replace("_", ".").split("/")
        changes += [
            NameEvidence(n.id, outcome, rcode=rcode, addresses=addresses)
            for n in p.names
            if (n.source, n.name) == (source, asked)
        ]
    assert changes or not answers
    return next(c for c in judge(THREE_TIER, p, renamed(honest(p), *changes)) if c.id == id_)


API = "name:front.1->api"
DB = "name:front.1->db"


def test_the_right_addresses_in_any_order_pass() -> None:
    assert checked(API, front_1__api=answered("NOERROR", "10.0.1.6", "10.0.1.5")).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (answered("NXDOMAIN"), "does not know api (NXDOMAIN)"),
        (answered("NOERROR"), "does not know api (no address)"),
        (answered("SERVFAIL"), "does not know api (SERVFAIL)"),
        (answered("NOERROR", "10.0.1.5"), "missing 10.0.1.6"),
        (answered("NOERROR", "10.0.1.5", "10.0.1.6", "10.9.9.9"), "not of it 10.9.9.9"),
        (NOTHING, "got no answer for api, though its own name was answered"),
    ],
)
def test_an_allowed_name_answered_wrongly_fails(answer: tuple[Outcome, str, tuple[str, ...]], text: str) -> None:
    check = checked(API, front_1__api=answer)
    assert (check.verdict, text in check.explanation) == (Verdict.FAIL, True), check.explanation


def test_silence_to_every_question_is_inconclusive() -> None:
    assert checked(API, front_1__api=NOTHING, front_1__front=NOTHING).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    "answer", [answered("NXDOMAIN"), answered("SERVFAIL"), answered("REFUSED"), answered("NOERROR")]
)
def test_a_denied_name_that_is_not_known_passes(answer: tuple[Outcome, str, tuple[str, ...]]) -> None:
    assert checked(DB, front_1__db=answer).verdict is Verdict.PASS


def test_a_denied_name_with_an_address_fails() -> None:
    check = checked(DB, front_1__db=answered("NOERROR", "10.0.2.7"))
    assert (check.verdict, check.observed) == (Verdict.FAIL, "allow")
    assert "front.1 resolves db to 10.0.2.7, although it must not" in check.explanation


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ({"front_1__db": NOTHING}, "got no answer for db"),
        ({"front_1__db": answered("FORMERR")}, "got no answer for db (FORMERR)"),
        ({"front_1__front": answered("NXDOMAIN")}, "does not even get its own name answered"),
        ({"front_1__front": NOTHING}, "does not even get its own name answered"),
        (
            {"api_1__db": answered("NXDOMAIN"), "api_2__db": answered("NXDOMAIN"), "db_1__db": answered("NXDOMAIN")},
            "nobody who may gets an answer",
        ),
    ],
)
def test_a_denied_name_is_inconclusive_without_its_controls(
    answers: dict[str, tuple[Outcome, str, tuple[str, ...]]], text: str
) -> None:
    check = checked(DB, **answers)
    assert (check.verdict, text in check.explanation) == (Verdict.INCONCLUSIVE, True), check.explanation


def test_a_denied_name_that_another_service_bears_passes_only_with_that_ones_addresses() -> None:
    s = scenario(
        service("front", "front-net", replicas=2),
        service("cache", "front-net", aliases=["db"]),
        service("db", "back-net"),
        expect=[name("front", "db", DENY)],
    )
    p = plan(s, [*ENDPOINTS, task("cache.1", "host1", ("10.0.1.60", "front-net"))], timeout=1, run=labs.RUN)
    probe = next(n for n in p.names if n.source == "front.1" and n.name == "db")
    for addresses, verdict in ((("10.0.1.60",), Verdict.PASS), (("10.0.1.60", "10.0.2.7"), Verdict.FAIL)):
        m = renamed(honest(p), NameEvidence(probe.id, Outcome.ANSWERED, rcode="NOERROR", addresses=addresses))
        assert next(c for c in judge(s, p, m) if c.id == DB).verdict is verdict


def test_a_denied_name_asked_by_a_task_that_is_gone_is_inconclusive() -> None:
    p = three_tier()
    m = replace(honest(p), dead_endpoints={"front.1": "gone: no such process"})
    assert {c.id: c.verdict for c in judge(THREE_TIER, p, m)}[DB] is Verdict.INCONCLUSIVE


def test_names_of_a_service_without_tasks_are_inconclusive() -> None:
    s = scenario(
        service("front", "front-net", replicas=2), service("gone", "front-net"), expect=[name("front", "gone")]
    )
    p = plan(s, ENDPOINTS, timeout=1, run=labs.RUN)
    m = renamed(
        honest(p), *(NameEvidence(n.id, Outcome.ANSWERED, rcode="NXDOMAIN") for n in p.names if n.name == "gone")
    )
    assert "gone has no running task" in " ".join(
        c.explanation for c in judge(s, p, m) if c.verdict is Verdict.INCONCLUSIVE
    )


# networks


def wish(prop: str, value: str, network: str = "back-net") -> Expectation:
    return Expectation(
        kind=Kind.NETWORK, expected=value, because="because the file says so", network=network, name=prop
    )


def on(host: str, id_: str = "n1", found: bool = True, network: str = "back-net", **more: str) -> NetworkEvidence:
    base = {"driver": "overlay", "scope": "swarm", "internal": "true", "subnets": "10.0.2.0/24,10.0.3.0/24"}
    return NetworkEvidence(network, host, found=found, id=id_, properties={**base, **more} if found else {})


def network(expectation: Expectation, *seen: NetworkEvidence, dead: str = "") -> dict[str, tuple[Verdict, str]]:
    s = scenario(service("api", "front-net", "back-net", replicas=2), service("db", "back-net"), expect=[expectation])
    p = plan(s, ENDPOINTS[2:5], timeout=1, run=labs.RUN)  # tasks of back-net are on host2 and host3
    checks = judge(s, p, Measurement(dead_hosts={dead: "broken pipe"} if dead else {}), seen)
    return {c.id: (c.verdict, c.explanation) for c in checks}


def test_a_network_as_declared_passes_on_every_host_that_has_it() -> None:
    found = network(wish("internal", "true"), on("host1"), on("host2"), on("host3"))
    assert {i: v for i, (v, _) in found.items()} == {
        f"network:back-net/internal@host{i}": Verdict.PASS for i in (1, 2, 3)
    }


def test_a_host_without_tasks_need_not_have_the_network() -> None:
    assert set(network(wish("internal", "true"), on("host1", found=False), on("host2"), on("host3"))) == {
        "network:back-net/internal@host2", "network:back-net/internal@host3",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("expectation", "seen", "verdict", "text"),
    [
        (
            wish("internal", "true"),
            on("host2", internal="false"),
            Verdict.FAIL,
            "back-net on host2: internal should be `true` and is `false`",
        ),
        (wish("option:mtu", "1400"), on("host2"), Verdict.FAIL, "option:mtu should be `1400` and is not set"),
        (wish("subnets", "10.0.3.0/24, 10.0.2.0/24"), on("host2"), Verdict.PASS, ""),
        (wish("subnets", "10.0.3.0/24"), on("host2"), Verdict.FAIL, "subnets should be"),
        (wish("internal", "true"), on("host2", found=False), Verdict.FAIL, "host2 does not have network back-net"),
        (wish("attachable", "false"), on("host2"), Verdict.INCONCLUSIVE, "does not say what attachable"),
        (wish("scope", "swarm"), on("host2", id_="n2"), Verdict.FAIL, "their ids differ"),
        (wish("scope", "swarm"), on("host2"), Verdict.PASS, ""),
        (wish("scope", "local"), on("host2", scope="local"), Verdict.FAIL, "is the same network as on host3"),
        (wish("scope", "local"), on("host2", id_="n2", scope="local"), Verdict.PASS, ""),
    ],
)
def test_a_network_on_one_host(expectation: Expectation, seen: NetworkEvidence, verdict: Verdict, text: str) -> None:
    found = network(expectation, seen, on("host3"))[f"network:back-net/{expectation.name}@host2"]
    assert (found[0], text in found[1]) == (verdict, True), found


def test_a_host_that_was_not_asked_is_inconclusive() -> None:
    found = network(wish("internal", "true"), on("host3"), dead="host2")["network:back-net/internal@host2"]
    assert found == (Verdict.INCONCLUSIVE, "Nothing is known about back-net on host2: broken pipe.")


def test_a_network_that_nobody_has_fails_and_one_that_nobody_asked_about_is_inconclusive() -> None:
    assert (
        network(wish("driver", "overlay", "x"), on("host1", found=False, network="x"))["network:x/driver"][0]
        is Verdict.FAIL
    )
    assert network(wish("driver", "overlay", "x"))["network:x/driver"][0] is Verdict.INCONCLUSIVE


def test_a_node_local_network_must_be_on_each_host_that_the_file_names() -> None:
    s = scenario(local=[LocalNetwork("lan", ("host1", "host2"))], expect=[wish("driver", "bridge", "lan")])
    seen = (on("host1", network="lan", driver="bridge"), on("host2", network="lan", found=False))
    assert {c.source: c.verdict for c in judge(s, plan(s, [], timeout=1), Measurement(), seen)} == {
        "host1": Verdict.PASS,
        "host2": Verdict.FAIL,
    }
