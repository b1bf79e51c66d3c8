"""Each kind of check is seen to fail, and to become inconclusive: networks are broken on purpose, and exactly the right
cells turn.
"""

from __future__ import annotations

from itertools import product

import pytest

from tests.e2e.conftest import Lab
from tests.e2e.driver import Cells, cells, checks

pytestmark = [pytest.mark.root, pytest.mark.lab]


def host_of(lab: Lab) -> dict[str, str]:
    """Endpoint -> host, as the report says."""
    _, report = lab.user.report("verify", lab.name)
    return {c["from"]: c["from_host"] for c in report["checks"] if c["kind"] == "reach"}


def container_of(lab: Lab, host: str, service: str) -> str:
    """The container of the service's task on that host."""
    found = lab.on(
        host,
        "docker",
        "ps",
        "--quiet",
        "--no-trunc",
        "--filter",
        f"label=com.docker.swarm.service.name={lab.name}_{service}",
    )
    assert found, f"no task of {service} on {host}"
    return found.splitlines()[0]


def address_of(lab: Lab, host: str) -> str:
    _, report = lab.user.report("report", lab.name)
    return next(str(h["address"]) for h in report["hosts"] if h["name"] == host)


def test_unbroken_everything_is_proven(lab: Lab) -> None:
    status, report = lab.user.report("verify", lab.name)
    assert status == 0
    assert report["summary"]["fail"] == report["summary"]["inconclusive"] == 0
    assert {c["kind"] for c in report["checks"]} == {"reach", "name", "network", "mtu", "wire", "clock"}
    assert cells(report, "pass") >= {("front.1", "db.1"), ("front.2", "db.1"), ("api.1", "db.1"), ("db.1", "front.1")}


def test_a_leak_turns_exactly_the_leaking_pair_red(lab: Lab) -> None:
    """One front task is connected to the back network, at a free address: a worker's engine would pick one that another
    task has.
    """
    where = host_of(lab)
    # On host2, where api has brought the network: the engine knows it there by name.
    task, host = next((t, h) for t, h in where.items() if t.startswith("front.") and h == "host2")
    container, network = container_of(lab, host, "front"), f"{lab.name}_back-net"
    with lab.user.broken(
        lab.name,
        host,
        ["docker", "network", "connect", "--ip", "10.77.0.200", network, container],
        ["docker", "network", "disconnect", "--force", network, container],
    ):
        status, report = lab.user.report("verify", lab.name)
    assert status == 1
    red = cells(report, "fail")
    assert (task, "db.1") in red
    assert red == {(task, "db.1"), ("db.1", task)}, "the way back is open too"
    assert {c["network"] for c in checks(report, kind="reach", verdict="fail")} == {"back-net"}
    assert {(c["from"], c["to_service"]) for c in checks(report, kind="name", verdict="fail")} == {(task, "db")}
    assert cells(report, "inconclusive") == set()


def test_a_service_added_to_the_network_turns_both_ways_red(lab: Lab) -> None:
    """Swarm gives these tasks proper addresses there, so that db can reach them as well as they can reach db."""
    network, service = f"{lab.name}_back-net", f"{lab.name}_front"
    update = ["docker", "service", "update", "--quiet"]
    with lab.user.broken(
        lab.name, "host1", [*update, "--network-add", network, service], [*update, "--network-rm", network, service]
    ):
        status, report = lab.user.report("verify", lab.name)
    assert status == 1
    fronts = {c["from"] for c in checks(report, kind="reach", from_service="front")}
    assert cells(report, "fail") == {(f, "db.1") for f in fronts} | {("db.1", f) for f in fronts}
    assert {c["network"] for c in checks(report, kind="reach", verdict="fail")} == {"back-net"}


def test_vxlan_lost_one_way_is_red_for_that_pair_and_unproven_for_its_denies(lab: Lab) -> None:
    where = host_of(lab)
    rule = ["OUTPUT", "-d", address_of(lab, "host3"), "-p", "udp", "--dport", "4789", "-j", "DROP"]
    with lab.user.broken(lab.name, "host1", ["iptables", "-I", *rule], ["iptables", "-D", *rule]):
        status, report = lab.user.report("verify", lab.name)
    assert status == 1
    crossing = {(a, b) for a, b in product(where, where) if {where[a], where[b]} == {"host1", "host3"}}
    allowed = {(c["from"], c["to"]) for c in checks(report, kind="reach", expected="allow")} & crossing
    denied = {(c["from"], c["to"]) for c in checks(report, kind="reach", expected="deny")} & crossing
    assert allowed
    assert denied
    assert cells(report, "fail") == allowed
    assert cells(report, "inconclusive") == denied
    for check in checks(report, kind="reach", verdict="fail"):
        request_lost = check["from_host"] == "host1"
        assert check["evidence"]["left"] is True
        assert check["evidence"]["seen"] is not request_lost, check
        assert ("request lost" if request_lost else "answer lost") in check["explanation"]
    assert [f["hosts"] for f in report["findings"] if "4789" in f["title"]] == [["host1", "host3"]]


def test_a_paused_target_leaves_its_denies_unproven(lab: Lab) -> None:
    where = host_of(lab)
    db = container_of(lab, where["db.1"], "db")
    with lab.user.broken(lab.name, where["db.1"], ["docker", "pause", db], ["docker", "unpause", db]):
        status, report = lab.user.report("verify", lab.name)
    assert status == 4
    assert cells(report, "fail") == set()
    depend: Cells = {
        (c["from"], c["to"]) for c in checks(report, kind="reach", expected="deny") if "db.1" in (c["from"], c["to"])
    }
    assert cells(report, "inconclusive") == depend
    assert all("paused" in c["explanation"] for c in checks(report, kind="reach", verdict="inconclusive"))


def test_a_host_where_no_prober_can_run_proves_nothing(lab: Lab) -> None:
    """Without an agent on db's host its listeners are dead: its denies are unproven, never passed."""
    where = host_of(lab)
    host = where["db.1"]
    hide, show = (
        ["mv", "/usr/bin/python3", "/usr/bin/python3.hidden"],
        ["mv", "/usr/bin/python3.hidden", "/usr/bin/python3"],
    )
    with lab.user.broken(lab.name, host, hide, show):
        status, report = lab.user.report("verify", lab.name)
    assert status == 4
    there = {(c["from"], c["to"]) for c in checks(report, kind="reach") if host in (c["from_host"], c["to_host"])}
    assert cells(report, "inconclusive") == there
    assert cells(report, "inconclusive", "clock") == {(host, host)}, "the others still agree"
    assert cells(report, "fail") == set()
    assert any(host in c["explanation"] for c in checks(report, verdict="inconclusive"))


def test_a_lost_alias_turns_its_name_red(lab: Lab) -> None:
    """api leaves front-net and comes back without its alias."""
    leader, network, service = "host1", f"{lab.name}_front-net", f"{lab.name}_api"
    without = [
        "docker",
        "service",
        "update",
        "--quiet",
        "--network-rm",
        network,
        "--network-add",
        f"name={network}",
        service,
    ]
    alias = f"name={network},alias=backend-api,alias=api"
    with_it = ["docker", "service", "update", "--quiet", "--network-rm", network, "--network-add", alias, service]
    with lab.user.broken(lab.name, leader, without, with_it):
        status, report = lab.user.report("verify", lab.name)
    assert status == 1
    red = checks(report, kind="name", verdict="fail")
    assert {c["evidence"]["name"] for c in red} >= {"backend-api"}
    assert all(c["to_service"] == "api" for c in red)
    assert cells(report, "fail") == set()
