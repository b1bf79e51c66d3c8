"""Findings: each fault once, with the hosts it is between and what to do; and none where nothing is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from swarmlab.model.check import Finding
from swarmlab.model.evidence import Evidence, Measurement, NameEvidence, NetworkEvidence, Outcome
from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import Kind
from swarmlab.model.probe import Probe, ProbePlan
from swarmlab.model.scenario import Network, Scenario
from swarmlab.probes.traffic.plan import plan
from tests.unit.probes import labs
from tests.unit.probes.labs import ENDPOINTS, THREE_TIER, changed, honest, renamed, scenario, service, three_tier


def found(
    p: ProbePlan, m: Measurement, s: Scenario = THREE_TIER, networks: Sequence[NetworkEvidence] = ()
) -> tuple[Finding, ...]:
    return labs.findings(s, p, m, networks)


def lost(p: ProbePlan, which: Callable[[Probe], bool], **evidence: object) -> Measurement:
    base = Evidence(0, Outcome.TIMED_OUT, left=True, seen=False)
    chosen = [x for x in p.probes if which(x) and (x.expectation is None or x.expectation.expected == "allow")]
    return changed(honest(p), *(replace(base, probe=x.id, **evidence) for x in chosen))  # type: ignore[arg-type]


def between(p: ProbePlan, *hosts: str) -> Callable[[Probe], bool]:
    return lambda x: {p.endpoints[x.source].host, p.endpoints[x.target].host} == set(hosts)


def test_nothing_wrong_nothing_found() -> None:
    assert found(three_tier(), honest(three_tier())) == ()


def test_answers_that_are_lost_name_the_answers_direction() -> None:
    p = three_tier()
    pair = between(p, "host1", "host3")
    m = lost(p, lambda x: pair(x) and p.endpoints[x.source].host == "host1", seen=True, answer_left=True)
    silent = [x for x in p.probes if pair(x) and p.endpoints[x.source].host == "host3"]
    (finding,) = found(
        p,
        changed(
            m,
            *(
                Evidence(x.id, Outcome.TIMED_OUT, left=True, seen=None)
                for x in silent
                if x.purpose == "control" or (x.expectation and x.expectation.expected == "allow")
            ),
        ),
    )
    assert finding.id == "vxlan-lost:host3->host1"
    assert (finding.severity, finding.layer, finding.hosts) == ("connectivity", "underlay", ("host1", "host3"))
    assert "UDP/4789" in finding.fix
    assert "33416" in finding.source


def test_a_direction_that_no_capture_saw_is_not_guessed() -> None:
    p = three_tier()
    (finding,) = found(p, lost(p, between(p, "host1", "host3"), left=None, seen=None))
    assert "in which direction is not known" in finding.title


def test_one_dead_overlay_beside_a_living_one_is_not_the_underlays_fault() -> None:
    p = three_tier()
    pair = between(p, "host2", "host3")
    m = lost(p, lambda x: pair(x) and x.network == "back-net")
    (finding,) = found(p, m)
    assert (finding.id, finding.layer) == ("overlay-lost:back-net:host2<->host3", "overlay")
    encrypted = replace(
        THREE_TIER, networks={**THREE_TIER.networks, "back-net": Network("back-net", options={"encrypted": ""})}
    )
    (finding,) = found(p, m, encrypted)
    assert "encrypted back-net carries nothing between host2 and host3, while VXLAN passes" in finding.title
    assert "ESP" in finding.fix


def test_a_full_neighbour_table_is_named_with_its_sysctl() -> None:
    p = three_tier()
    (finding,) = found(
        p,
        lost(
            p, lambda x: x.source == "api.1", outcome=Outcome.SEND_ERROR, detail="ENOBUFS: is the neighbour table full?"
        ),
    )
    assert (finding.id, finding.hosts) == ("neighbour-overflow", ("host2",))
    assert "gc_thresh3" in finding.fix


def test_another_send_error_is_not_called_a_full_table() -> None:
    p = three_tier()
    (finding,) = found(
        p, lost(p, lambda x: x.source == "api.1", outcome=Outcome.SEND_ERROR, detail="EMFILE: too many open files")
    )
    assert finding.id == "send-error"


def test_a_stranger_at_an_address_is_found() -> None:
    p = three_tier()
    (finding,) = found(
        p,
        lost(p, lambda x: x.target == "api.2" and x.source == "front.1", outcome=Outcome.ANSWERED, responder="front.2"),
    )
    assert (finding.id, finding.hosts) == ("answered-by-other:api.2", ("host2", "host3"))


def test_a_name_missing_for_all_and_for_some_are_told_apart() -> None:
    p = three_tier()
    askers = [n for n in p.names if n.name == "api" and n.purpose == "check"]
    everyone = renamed(honest(p), *(NameEvidence(n.id, Outcome.ANSWERED, rcode="NXDOMAIN") for n in askers))
    some = renamed(honest(p), NameEvidence(askers[0].id, Outcome.ANSWERED, rcode="NXDOMAIN"))
    assert [f.id for f in found(p, everyone)] == ["name-missing:api"] == [f.id for f in found(p, some)]
    assert "aliases" in found(p, everyone)[0].fix
    assert "7946" in found(p, some)[0].fix


def test_a_name_leak_is_a_matter_of_isolation() -> None:
    p = three_tier()
    denied = next(n for n in p.names if n.name == "db" and n.source == "front.1")
    (finding,) = found(
        p, renamed(honest(p), NameEvidence(denied.id, Outcome.ANSWERED, rcode="NOERROR", addresses=("10.0.2.7",)))
    )
    assert (finding.id, finding.severity) == ("name-leak:front->db", "isolation")


def test_a_network_that_is_not_as_declared_is_found_once_for_all_hosts() -> None:
    s = replace(
        THREE_TIER,
        expectations=(
            *THREE_TIER.expectations,
            Expectation(kind=Kind.NETWORK, expected="true", because="x", network="back-net", name="encrypted"),
        ),
    )
    p = plan(s, ENDPOINTS, timeout=1, run=labs.RUN, port=labs.PORT)
    seen = [
        NetworkEvidence("back-net", f"host{i}", found=True, id="n", properties={"encrypted": "false"}) for i in (2, 3)
    ]
    (finding,) = found(p, honest(p), s, seen)
    assert (finding.id, finding.severity, finding.hosts) == (
        "network-differs:back-net",
        "confidentiality",
        ("host2", "host3"),
    )


def test_a_kernel_without_ipvs_matters_only_to_scenarios_with_virtual_addresses() -> None:
    p = three_tier()
    m = replace(honest(p), missing_features={"host1": ("ip_vs",)})
    assert found(p, m) == ()
    vip = scenario(service("front", "front-net", replicas=2, mode="vip"))
    assert [
        (f.id, f.severity)
        for f in found(plan(vip, ENDPOINTS, timeout=1), Measurement(missing_features=m.missing_features), vip)
    ] == [("no-ipvs", "info")]
