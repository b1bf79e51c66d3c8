"""Which ports of which hosts are tried from outside, and what is said of those that cannot be."""

from __future__ import annotations

from dataclasses import replace

from swarmlab.model.kinds import ALLOW, DENY
from swarmlab.model.probe import PortInUse
from swarmlab.model.scenario import PublishedPort
from swarmlab.probes.publish.plan import (
    MOST_PORTS,
    inner_ports,
    watched_ports,
)
from swarmlab.scenario.derive_publish import published
from tests.unit.probes.ports import ENDPOINTS, HOSTS, host_ports, lab


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
