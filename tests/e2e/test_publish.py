"""Published ports as seen from a machine that is not in the Swarm: proven, broken on purpose, and left without
evidence.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Lab
from tests.e2e.driver import User, checks, leftovers

pytestmark = [pytest.mark.root, pytest.mark.lab]

# Port 80 has an application (busybox httpd); on 5432 and 53 nothing listens, so the agent does; 81 is published where
# the engine likes.
FILE = """\
version: "3.8"
services:
  web:
    image: swarmlab/stand-in:1
    networks: [public]
    ports:
      - {target: 80, published: 8080, mode: host}
      - {target: 5432, published: 8432, mode: host}
      - {target: 53, published: 8053, protocol: udp, mode: host}
      - {target: 81, mode: host}
    deploy: {endpoint_mode: dnsrr, placement: {constraints: [node.labels.swarmlab.host == host2]}}
networks:
  public: {driver: overlay}
x-swarmlab: {hosts: 2}
"""
WEB = "publish:outside->web@"


@pytest.fixture(scope="module")
def opened(user: User, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    file: Path = tmp_path_factory.mktemp("publish") / "compose.yaml"
    file.write_text(FILE)
    ended = user.run("up", str(file), "--name", "publish-e2e")
    assert ended.status == 0, ended
    yield Lab(user, "publish-e2e")
    assert user.run("down", "publish-e2e").status == 0
    assert leftovers("publish-e2e") == []


def by_verdict(report: dict[str, Any], verdict: str) -> set[str]:
    return {c["id"] for c in report["checks"] if c["verdict"] == verdict}


def published(report: dict[str, Any], **wanted: str) -> dict[str, dict[str, Any]]:
    return {c["id"]: c for c in checks(report, kind="publish", **wanted)}


def test_host_mode_answers_where_the_task_runs_and_nowhere_else(opened: Lab) -> None:
    status, report = opened.user.report("verify", opened.name)
    assert status == 0
    allowed, denied = published(report, expected="allow"), published(report, expected="deny")
    assert set(allowed) == {f"{WEB}host2/{port}" for port in ("tcp:8080", "tcp:8432", "udp:8053", "tcp:any-81")}
    closed = ("tcp:8080", "tcp:8432", "udp:8053", "tcp:any-81-of-host2", "tcp:80", "tcp:81", "tcp:5432", "udp:53")
    assert {i for i in denied if "@host1" in i} == {f"{WEB}host1/{port}" for port in closed} | {
        "publish:outside->anybody@host1/tcp:unused"
    }
    evidence = allowed[f"{WEB}host2/tcp:8080"]["evidence"]
    assert (evidence["responder"], evidence["came_through_to"]) == ("", ["web.1"]), (
        "the application answered, and web.1 saw the request"
    )
    assert allowed[f"{WEB}host2/udp:8053"]["evidence"]["responder"] == "web.1"
    refused = denied[f"{WEB}host1/tcp:8080"]["evidence"]
    assert (refused["outcome"], refused["left"], refused["seen"], refused["came_through_to"]) == (
        "refused",
        True,
        True,
        [],
    )


def test_a_published_port_that_the_hosts_firewall_drops_is_red_alone(opened: Lab) -> None:
    rule = ["PREROUTING", "-p", "tcp", "--dport", "8080", "-j", "DROP"]
    with opened.user.broken(
        opened.name, "host2", ["iptables", "-t", "raw", "-I", *rule], ["iptables", "-t", "raw", "-D", *rule]
    ):
        status, report = opened.user.report("verify", opened.name)
    assert status == 1
    assert by_verdict(report, "fail") == {f"{WEB}host2/tcp:8080"}
    assert by_verdict(report, "inconclusive") == set()
    assert "arrived at host2, and no task saw it" in published(report)[f"{WEB}host2/tcp:8080"]["explanation"]
    assert [(f["id"], f["hosts"]) for f in report["findings"]] == [("port-shut:8080/tcp", ["host2"])]


def test_a_listener_in_a_hosts_own_namespace_turns_its_unpublished_port_red(opened: Lab) -> None:
    start = ["docker", "run", "--detach", "--rm", "--name", "leak", "--network", "host", "swarmlab/stand-in:1"]
    with opened.user.broken(opened.name, "host1", start, ["docker", "rm", "--force", "leak"]):
        status, report = opened.user.report("verify", opened.name)
    assert status == 1
    assert by_verdict(report, "fail") == {f"{WEB}host1/tcp:80"}
    assert by_verdict(report, "inconclusive") == set()
    assert [(f["id"], f["severity"]) for f in report["findings"]] == [("port-open:80/tcp", "isolation")]


def test_a_service_that_publishes_more_than_its_file_turns_that_port_red(opened: Lab) -> None:
    """Nothing listens on 8000, so outside is refused; but the task saw the request."""
    update = ["docker", "service", "update", "--quiet"]
    more = "mode=host,published=81,target=8000"
    service = f"{opened.name}_web"
    with opened.user.broken(
        opened.name,
        "host1",
        [*update, "--publish-add", more, service],
        [*update, "--publish-rm", more, service],
    ):
        status, report = opened.user.report("verify", opened.name)
    assert status == 1
    assert by_verdict(report, "fail") == {f"{WEB}host2/tcp:81"}


def test_an_outside_that_cannot_send_proves_nothing(opened: Lab) -> None:
    rule = ["OUTPUT", "-p", "tcp", "--syn", "-j", "DROP"]
    with opened.user.broken(opened.name, "outside", ["iptables", "-I", *rule], ["iptables", "-D", *rule]):
        status, report = opened.user.report("verify", opened.name)
    assert status == 4
    assert by_verdict(report, "fail") == set()
    assert by_verdict(report, "inconclusive") == set(published(report, protocol="tcp"))
    assert all("outside" in c["explanation"] for c in checks(report, verdict="inconclusive"))


def test_an_outside_that_is_gone_proves_nothing(opened: Lab) -> None:
    hide, show = (
        ["mv", "/usr/bin/python3", "/usr/bin/python3.hidden"],
        ["mv", "/usr/bin/python3.hidden", "/usr/bin/python3"],
    )
    with opened.user.broken(opened.name, "outside", hide, show):
        status, report = opened.user.report("verify", opened.name)
    assert status == 4
    assert by_verdict(report, "fail") == set()
    assert by_verdict(report, "inconclusive") == set(published(report))


def test_a_paused_task_accepts_connections_and_proves_nothing(opened: Lab) -> None:
    container = opened.on(
        "host2", "docker", "ps", "--quiet", "--filter", f"label=com.docker.swarm.service.name={opened.name}_web"
    )
    with opened.user.broken(opened.name, "host2", ["docker", "pause", container], ["docker", "unpause", container]):
        status, report = opened.user.report("verify", opened.name)
    assert status == 4
    assert by_verdict(report, "fail") == set()
    assert f"{WEB}host2/tcp:8080" in by_verdict(report, "inconclusive")


def test_a_proxy_that_accepts_in_the_tasks_place_proves_nothing(opened: Lab) -> None:
    """Without the translation rule the engine's user-land proxy takes the connection; that its task lives cannot be
    told.
    """
    rules = opened.on("host2", "iptables", "-t", "nat", "-S", "DOCKER").splitlines()
    rule = next(line for line in rules if "--dport 8080 " in line).removeprefix("-A ").split()
    with opened.user.broken(
        opened.name, "host2", ["iptables", "-t", "nat", "-D", *rule], ["iptables", "-t", "nat", "-A", *rule]
    ):
        status, report = opened.user.report("verify", opened.name)
    assert status == 4
    assert by_verdict(report, "inconclusive") == {f"{WEB}host2/tcp:8080"}
    assert "it is not known who" in published(report)[f"{WEB}host2/tcp:8080"]["explanation"]


def test_up_again_changes_nothing_and_finds_the_machine_outside(opened: Lab, tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(FILE)
    before = opened.on("outside", "stat", "--format", "%Y", "/proc/1")
    ended = opened.user.run("up", str(file), "--name", opened.name)
    assert ended.status == 0, ended
    assert opened.on("outside", "stat", "--format", "%Y", "/proc/1") == before


def test_from_outside_costs_about_one_more_time_out(opened: Lab) -> None:
    start = time.monotonic()
    assert opened.user.run("verify", opened.name).status == 0
    assert time.monotonic() - start < 20
