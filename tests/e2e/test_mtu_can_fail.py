"""Checks of size are seen to fail, in the right direction, while small packets pass; and to become inconclusive when
those do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Lab
from tests.e2e.driver import User, cells, checks
from tests.e2e.test_checks_can_fail import address_of, container_of, host_of

pytestmark = [pytest.mark.root, pytest.mark.lab]


def ids(report: Mapping[str, Any], verdict: str) -> set[str]:
    """The size checks with that verdict."""
    return {c["id"] for c in checks(report, kind="mtu", verdict=verdict)}


def test_unbroken_both_overlays_fit_between_all_hosts_that_carry_them(lab: Lab) -> None:
    status, report = lab.user.report("verify", lab.name)
    assert status == 0
    ways = [f"front-net@host{a}->host{b}" for a in (1, 2, 3) for b in (1, 2, 3) if a != b] + [
        "back-net@host2->host3",
        "back-net@host3->host2",
    ]
    assert ids(report, "pass") == {f"mtu:{way}{part}" for way in ways for part in ("", "/bulk")}
    found = checks(report, id="mtu:front-net@host1->host2")[0]["evidence"]
    assert (found["mtu"], found["largest"], found["outer"], found["underlay"], found["fragments_arrived"]) == (
        1450,
        1450,
        1500,
        1500,
        0,
    )


def test_large_packets_lost_one_way_turn_that_way_red_and_its_transfers(lab: Lab) -> None:
    """A box in between that eats large VXLAN packets and lets everything else pass: the underlay's own path MTU looks
    well.
    """
    rule = [
        "PREROUTING",
        "-s",
        address_of(lab, "host2"),
        "-p",
        "udp",
        "--dport",
        "4789",
        "-m",
        "length",
        "--length",
        "1400:65535",
        "-j",
        "DROP",
    ]
    with lab.user.broken(
        lab.name, "host3", ["iptables", "-t", "raw", "-I", *rule], ["iptables", "-t", "raw", "-D", *rule]
    ):
        status, report = lab.user.report("verify", lab.name)
    assert status == 1
    red = {f"mtu:{network}@host2->host3{part}" for network in ("front-net", "back-net") for part in ("", "/bulk")}
    assert ids(report, "fail") == red
    assert ids(report, "inconclusive") == set()
    assert cells(report, "fail") == cells(report, "inconclusive") == set(), "small packets pass"
    titles = {f["title"] for f in report["findings"]}
    assert titles == {
        f"{network} (MTU 1450) loses packets of more than 1349 bytes between host2 and host3: it should be at most 1349"
        for network in ("front-net", "back-net")
    }


def test_a_paused_task_proves_nothing_about_its_hosts_sizes(lab: Lab) -> None:
    """front.1 is all that its host has on front-net."""
    where = host_of(lab)
    task, host = next((t, h) for t, h in where.items() if t.startswith("front.") and h == "host1")
    front = container_of(lab, host, "front")
    with lab.user.broken(lab.name, host, ["docker", "pause", front], ["docker", "unpause", front]):
        status, report = lab.user.report("verify", lab.name)
    assert status == 4
    assert (
        ids(report, "inconclusive")
        == {c["id"] for c in checks(report, kind="mtu") if task in (c["from"], c["to"])}
        != set()
    )
    assert ids(report, "fail") == set()


def test_where_small_packets_are_lost_too_it_is_no_matter_of_size(lab: Lab) -> None:
    rule = ["OUTPUT", "-d", address_of(lab, "host3"), "-p", "udp", "--dport", "4789", "-j", "DROP"]
    with lab.user.broken(lab.name, "host1", ["iptables", "-I", *rule], ["iptables", "-D", *rule]):
        status, report = lab.user.report("verify", lab.name)
    assert status == 1
    assert ids(report, "fail") == set()
    pair = {"host1", "host3"}
    assert ids(report, "inconclusive") == {
        c["id"] for c in checks(report, kind="mtu") if {c["from_host"], c["to_host"]} == pair
    }
    assert all("no matter of size" in c["explanation"] for c in checks(report, kind="mtu", verdict="inconclusive"))


def test_an_underlay_of_1300_on_one_host_turns_its_sizes_red_while_reach_stays_green(lab: Lab) -> None:
    link = ["ip", "link", "set", "dev", "eth0", "mtu"]
    with lab.user.broken(lab.name, "host1", [*link, "1300"], [*link, "1500"]):
        status, report = lab.user.report("verify", lab.name)
    assert status == 1
    assert cells(report, "fail") == cells(report, "inconclusive") == set(), "small packets pass"
    crossing = {
        c["id"] for c in checks(report, kind="mtu", protocol="udp") if "host1" in (c["from_host"], c["to_host"])
    }
    datagrams = {c["id"] for c in checks(report, kind="mtu", protocol="udp", verdict="fail")}
    assert datagrams == crossing == {f"mtu:front-net@host{a}->host{b}" for a, b in ((1, 2), (1, 3), (2, 1), (3, 1))}
    # A transfer may get through: the kernel tells the sender, and frames not yet cut to size pass a virtual wire.
    assert {id_.removesuffix("/bulk") for id_ in ids(report, "fail") | ids(report, "inconclusive")} == crossing
    titles = [f["title"] for f in report["findings"]]
    assert titles == [
        f"the MTU of front-net (1450) does not fit the underlay between host1 and host{n} (1300): "
        "it should be at most 1250"
        for n in (2, 3)
    ]
    assert all('com.docker.network.driver.mtu: "1300"' in f["fix"] for f in report["findings"])
    assert lab.user.run("verify", lab.name).status == 0, "mended"


SLIM = """\
version: "3.8"
services:
  one: {image: "swarmlab/stand-in:1", networks: [slim, sealed], deploy: {mode: global, endpoint_mode: dnsrr}}
networks:
  slim: {driver: overlay, driver_opts: {com.docker.network.driver.mtu: "1300"}}
  sealed: {driver: overlay, driver_opts: {encrypted: ""}}
x-swarmlab: {hosts: 2}
"""


def test_the_mtu_that_a_finding_advises_fits_and_without_esp_nothing_is_proven(user: User, tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(SLIM)
    assert user.run("up", str(file), "--name", "slim", "--no-verify").status == 0
    link = ["ip", "link", "set", "dev", "eth0", "mtu"]
    with user.broken("slim", "host1", [*link, "1300"], [*link, "1500"]):
        _, report = user.report("verify", "slim")
    slim = checks(report, kind="mtu", network="slim")
    assert {c["id"] for c in slim} == {
        f"mtu:slim@host{a}->host{b}{part}" for a, b in ((1, 2), (2, 1)) for part in ("", "/bulk")
    }
    assert {c["verdict"] for c in slim} == {"pass"}
    assert {c["evidence"]["mtu"] for c in slim if c["protocol"] == "udp"} == {1250}
    sealed = checks(report, kind="mtu", network="sealed")
    if all("esp" in host["lacks"] for host in report["hosts"]):
        assert {c["verdict"] for c in sealed} == {"inconclusive"}
        assert all("has no ESP" in c["explanation"] for c in sealed)
    else:
        assert {c["verdict"] for c in sealed if c["protocol"] == "udp"} == {"fail"}, "1424 does not fit 1300"
    assert user.run("down", "slim").status == 0
