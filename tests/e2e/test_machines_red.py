"""Real ESP between machines, broken on purpose: red where it leaks or is lost, unproven where nothing shows it, and
nowhere else.

back-net is encrypted and on host2 and host3; front-net is plain and on all three.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.e2e.conftest import Lab
from tests.e2e.driver import checks
from tests.e2e.test_checks_can_fail import address_of

pytestmark = pytest.mark.vm
Report = dict[str, Any]
PAIR = {"host2", "host3"}
WIRE = {"wire:back-net@host2->host3", "wire:back-net@host3->host2"}
SIZES = {f"mtu:back-net@{way}{part}" for way in ("host2->host3", "host3->host2") for part in ("", "/bulk")}
SAVE = "for t in mangle filter; do iptables-save -t $t > /run/red.$t; done"
RESTORE = "for t in mangle filter; do iptables-restore -T $t < /run/red.$t; done"
MARK_GONE = "iptables -t mangle -S OUTPUT | grep -e '-j MARK' | sed s/-A/-D/ | xargs iptables -t mangle"
LEAK = "cleartext:back-net@{}"
UNMARKED = "mark-missing:back-net@{}"
DEAD = "overlay-lost:back-net:host2<->host3"


@contextmanager
def broken(lab: Lab, *faults: tuple[str, str, str]) -> Iterator[None]:
    """Each a host, what breaks it and what mends it."""
    with ExitStack() as stack:
        for host, breaking, mending in faults:
            stack.enter_context(lab.user.broken(lab.name, host, ["sh", "-c", breaking], ["sh", "-c", mending]))
        yield


def verified(lab: Lab, *faults: tuple[str, str, str]) -> tuple[int, Report]:
    """What `verify` says meanwhile."""
    with broken(lab, *faults):
        return lab.user.report("verify", lab.name)


def turned(report: Report, verdict: str) -> set[str]:
    """Ids of the checks with that verdict, of every kind."""
    return {str(c["id"]) for c in report["checks"] if c["verdict"] == verdict}


def crossing(report: Report, network: str, pair: set[str]) -> set[str]:
    """What is allowed over that network between two hosts, either way."""
    allowed = checks(report, kind="reach", network=network, expected="allow")
    return {str(c["id"]) for c in allowed if {c["from_host"], c["to_host"]} == pair}


def wire(report: Report, network: str, here: str, there: str) -> dict[str, Any]:
    """That one check."""
    (found,) = checks(report, id=f"wire:{network}@{here}->{there}")
    return found


def titles(report: Report) -> dict[str, str]:
    """Finding -> what it says."""
    return {str(f["id"]): str(f["title"]) for f in report["findings"]}


def test_a_deleted_mark_rule_is_cleartext_that_way_only(encrypted_lab: Lab) -> None:
    """What host2 sends is readable, and host3's own rule drops it: for who only looks at reach, the network is dead and
    nothing leaks.
    """
    status, report = verified(encrypted_lab, ("host2", f"{SAVE}; {MARK_GONE}", RESTORE))
    assert status == 1
    dead = crossing(report, "back-net", PAIR)
    assert dead
    assert turned(report, "fail") == dead | {"wire:back-net@host2->host3"}
    assert turned(report, "inconclusive") == SIZES, "not even small packets pass"
    for check in checks(report, kind="reach", verdict="fail"):
        lost = "request" if check["from_host"] == "host2" else "answer"
        assert f"{lost} lost from host2 to host3" in check["explanation"]
    leak, proof = wire(report, "back-net", "host2", "host3"), wire(report, "back-net", "host3", "host2")
    assert leak["observed"] == "clear"
    assert leak["explanation"].startswith("back-net is not encrypted from host2 to host3: the canary that ")
    evidence = leak["evidence"]
    assert "GET /orders/swlb" in evidence["excerpt"]
    assert evidence["arrived_at_target"] is False
    assert evidence["peer_dropped_in_clear"]["after"] > evidence["peer_dropped_in_clear"]["before"], (
        "host3's rule counts it"
    )
    assert evidence["forged_frame"] == "did not arrive"
    assert proof["observed"] == "encrypted"
    assert proof["evidence"]["arrived_at_target"] is True
    assert proof["evidence"]["rules"] == ["legacy mangle OUTPUT#1 MARK", "legacy filter INPUT#1 DROP"]
    assert leak["evidence"]["rules"] == ["legacy filter INPUT#1 DROP"]
    assert [f["id"] for f in report["findings"]] == [LEAK.format("host2"), UNMARKED.format("host2"), DEAD], (
        "the leak comes first"
    )


def test_a_flushed_firewall_is_cleartext_both_ways_while_everything_is_reached(encrypted_lab: Lab) -> None:
    """As a firewall's reload does it: traffic flows, readable, and whoever forges a frame gets it in."""
    flush = f"{SAVE}; iptables -t mangle -F; iptables -F INPUT"
    status, report = verified(encrypted_lab, *((host, flush, RESTORE) for host in sorted(PAIR)))
    assert status == 1
    assert turned(report, "fail") == WIRE
    assert turned(report, "inconclusive") == set()
    for here, there in (("host2", "host3"), ("host3", "host2")):
        check = wire(report, "back-net", here, there)
        assert check["observed"] == "clear"
        assert check["evidence"]["read_in_clear"] > 0
        assert check["evidence"]["esp_packets"] == 0
        assert check["evidence"]["arrived_at_target"] is True
        assert check["evidence"]["forged_frame"] == "arrived"
        assert check["evidence"]["rules"] == []
    named = {name.format(host) for name in ("injectable:back-net@{}", LEAK, UNMARKED) for host in PAIR}
    assert titles(report).keys() == named
    assert all(
        "restart the engine there: it sets its rules and keys anew" in finding["fix"] for finding in report["findings"]
    )


def test_esp_that_is_dropped_is_named_with_its_direction_and_place(encrypted_lab: Lab) -> None:
    """host3 drops what comes from host2 before it is decrypted, and its own after it was encrypted."""
    other = address_of(encrypted_lab, "host2")
    rules = (f"-t raw {{}} PREROUTING -s {other} -p esp -j DROP", f"{{}} OUTPUT -d {other} -p esp -j DROP")
    drop, let = ("; ".join(f"iptables {rule.format(flag)}" for rule in rules) for flag in ("-I", "-D"))
    status, report = verified(encrypted_lab, ("host3", drop, let))
    assert status == 1
    assert turned(report, "fail") == crossing(report, "back-net", PAIR) != set()
    assert turned(report, "inconclusive") == SIZES | WIRE
    assert all("request lost" in check["explanation"] for check in checks(report, kind="reach", verdict="fail")), (
        "either way"
    )
    lost, unsent = wire(report, "back-net", "host2", "host3"), wire(report, "back-net", "host3", "host2")
    assert lost["evidence"]["esp_packets"] > 0
    assert "the canary did not arrive at " in lost["explanation"]
    assert unsent["evidence"]["esp_packets"] == 0
    assert "no ESP from host3 to host2 was seen" in unsent["explanation"]
    blocked = "ESP (IP protocol 50) is blocked between {}: host3's own packet filter drops it"
    assert titles(report) == {
        "esp-lost:host2->host3": blocked.format("host2 and host3"),
        "esp-lost:host3->host2": blocked.format("host3 and host2"),
        DEAD: "encrypted back-net carries nothing between host2 and host3, while VXLAN passes",
    }


def test_an_underlay_of_1300_on_one_host_turns_sizes_red_and_nothing_else(encrypted_lab: Lab) -> None:
    """What host3 sends is too large for its own link; it takes what is larger. ESP's share is in the advice for
    back-net.
    """
    link = "ip link set dev eth0 mtu"
    status, report = verified(encrypted_lab, ("host3", f"{link} 1300", f"{link} 1500"))
    assert status == 1
    sent = {"mtu:front-net@host3->host1", "mtu:front-net@host3->host2", "mtu:back-net@host3->host2"}
    # A transfer may get through: the kernel tells the sender, which cuts what it sends.
    transfers = {f"{id_}/bulk" for id_ in sent}
    assert turned(report, "fail") - transfers == sent
    assert turned(report, "inconclusive") <= transfers
    assert {c["evidence"]["underlay"] for c in checks(report, kind="mtu", protocol="udp", verdict="fail")} == {1300}
    fits = (("back-net", "host2", 1424, 1224), ("front-net", "host1", 1450, 1250), ("front-net", "host2", 1450, 1250))
    assert titles(report) == {
        f"mtu:{net}:{a}<->host3": f"the MTU of {net} ({mtu}) does not fit the underlay between {a} and host3 (1300): "
        f"it should be at most {best}"
        for net, a, mtu, best in fits
    }
    assert all('com.docker.network.driver.mtu: "1300"' in finding["fix"] for finding in report["findings"])


def test_a_capture_that_did_not_read_the_plain_canary_proves_no_encryption(encrypted_lab: Lab) -> None:
    """host2 drops its own plain VXLAN for host3 before the capture; ESP flows as ever, and forged frames pass beside
    the filter.
    """
    rule = f"OUTPUT -d {address_of(encrypted_lab, 'host3')} -p udp --dport 4789 -m mark ! --mark 0xd0c4e3 -j DROP"
    status, report = verified(encrypted_lab, ("host2", f"iptables -I {rule}", f"iptables -D {rule}"))
    assert status == 1
    assert turned(report, "fail") == crossing(report, "front-net", PAIR) != set()
    sizes = {id_.replace("back-net", "front-net") for id_ in SIZES}
    unproven = {"wire:front-net@host2->host3", "wire:back-net@host2->host3"}
    assert turned(report, "inconclusive") == sizes | unproven
    plain, secret = (wire(report, network, "host2", "host3") for network in ("front-net", "back-net"))
    assert "the capture on host2 did not read the canary; it did not arrive either" in plain["explanation"]
    assert secret["explanation"] == (
        "Not proven: the capture on host2 is not proven: the canary of plain front-net to host3 was not seen in it."
    ), "of all that proves encryption only this is missing"
    assert secret["evidence"]["arrived_at_target"] is True


def test_a_blinded_capture_proves_nothing_and_a_lost_drop_rule_lets_forged_frames_in(encrypted_lab: Lab) -> None:
    """host3's kernel refuses filters to packet sockets, and its INPUT rules are gone; all still encrypt, and all is
    reached.
    """
    limit = "/proc/sys/net/core/optmem_max"
    breaking = f"cat {limit} > /run/red.limit; echo 1 > {limit}; {SAVE}; iptables -F INPUT"
    status, report = verified(encrypted_lab, ("host3", breaking, f"cat /run/red.limit > {limit}; {RESTORE}"))
    assert status == 1
    assert turned(report, "fail") == {"wire:back-net@host2->host3"}
    forged = wire(report, "back-net", "host2", "host3")
    assert "host3 takes cleartext for it: a forged VXLAN frame in clear arrived at " in forged["explanation"]
    assert forged["evidence"]["esp_packets"] > 0
    assert forged["evidence"]["read_in_clear"] == forged["evidence"]["vxlan_packets"] == 0
    assert titles(report) == {
        "injectable:back-net@host3": (
            "host3 takes cleartext for back-net: anybody on the underlay can put frames into it"
        )
    }
    blind = checks(report, kind="wire", from_host="host3")
    assert (
        turned(report, "inconclusive")
        == {str(c["id"]) for c in blind}
        >= {"wire:back-net@host3->host2", "wire:front-net@host3->host1"}
    )
    assert all("the underlay cannot be captured: " in check["explanation"] for check in blind)


def test_mended_everything_is_proven_again(encrypted_lab: Lab) -> None:
    status, report = encrypted_lab.user.report("verify", encrypted_lab.name)
    assert status == 0
    assert turned(report, "pass") == {str(c["id"]) for c in report["checks"]}
    assert turned(report, "pass") >= WIRE | SIZES
    assert report["findings"] == []
