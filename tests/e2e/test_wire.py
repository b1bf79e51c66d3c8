"""The wire of real hosts: what is readable is shown, what is not proven is never called encrypted, a blind capture
vouches for nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Lab
from tests.e2e.driver import ROOT, User, checks

pytestmark = [pytest.mark.root, pytest.mark.lab]

WAYS = {("host1", "host2"), ("host2", "host1")}


@pytest.fixture(scope="module")
def wire(user: User, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """plain-vs-encrypted, with a third overlay that is plain although somebody wants it encrypted: on every kernel that
    is red.
    """
    text = (ROOT / "scenarios/plain-vs-encrypted/compose.yaml").read_text()
    changed = text.replace("networks: [plain-net, secret-net]", "networks: [plain-net, secret-net, typo-net]")
    changed = changed.replace(
        "  secret-net:\n    driver: overlay\n",
        '  typo-net:\n    driver_opts: {encryption: ""}\n  secret-net:\n    driver: overlay\n',
    )
    misspelt = "    - {network: typo-net, wire: encrypted, because: somebody misspelt the option}\n"
    changed = changed.replace("  expect:\n", f"  expect:\n{misspelt}")
    assert changed.count("typo-net") == 3
    file = tmp_path_factory.mktemp("wire") / "compose.yaml"
    file.write_text(changed)
    ended = user.run("up", str(file), "--name", "e2e-wire", "--provider", "docker")
    assert ended.status == 1, ended
    yield Lab(user, "e2e-wire")
    assert user.run("down", "e2e-wire").status == 0


def of(report: dict[str, Any], network: str) -> dict[tuple[str, str], dict[str, Any]]:
    return {(c["from_host"], c["to_host"]): c for c in checks(report, kind="wire", network=network)}


def test_each_overlay_is_what_it_is(wire: Lab, tmp_path: Path) -> None:
    """Readable, misspelt and so readable, and encrypted: the last as far as this kernel can."""
    status, report = wire.user.report("verify", wire.name, "--pcap", str(tmp_path / "pcap"))
    assert status == 1
    plain, typo, secret = (of(report, network) for network in ("plain-net", "typo-net", "secret-net"))
    assert plain.keys() == typo.keys() == secret.keys() == WAYS
    for check in plain.values():
        assert (check["verdict"], check["expected"], check["observed"]) == ("pass", "clear", "clear")
        assert "GET /orders/swlb" in check["evidence"]["excerpt"]
        assert "Host: " in check["evidence"]["excerpt"]
    for check in typo.values():
        assert (check["verdict"], check["expected"], check["observed"]) == ("fail", "encrypted", "clear")
        assert f"typo-net is not encrypted from {check['from_host']} to {check['to_host']}" in check["explanation"]
    missing_features = {host["name"]: "esp" in host["lacks"] for host in report["hosts"]}
    for check in secret.values():
        assert check["evidence"]["capture_proven_by"] == "the canary of plain plain-net, read in clear"
        assert check["evidence"]["forging_proven_by"]
        assert check["evidence"]["forged_frame"] == "did not arrive"
        assert check["evidence"]["read_in_clear"] == check["evidence"]["vxlan_packets"] == 0
        assert check["evidence"]["packets_marked"]["after"] > check["evidence"]["packets_marked"]["before"]
        if any(missing_features.values()):
            assert (check["verdict"], check["observed"]) == ("inconclusive", "unknown")
            assert "no ESP (XFRM): the engine drops the encrypted network's traffic" in check["explanation"]
            assert "host1" in check["explanation"]
        else:
            assert (check["verdict"], check["observed"]) == ("pass", "encrypted")
    assert {(f["id"], f["severity"]) for f in report["findings"] if f["id"].startswith("cleartext")} == {
        (f"cleartext:typo-net@{host}", "confidentiality") for host in ("host1", "host2")
    }
    if any(missing_features.values()):
        assert {c["verdict"] for c in checks(report, kind="reach", network="secret-net")} == {"inconclusive"}
    films = {path.name: path for path in (tmp_path / "pcap").iterdir()}
    assert films.keys() == {"host1.pcap", "host2.pcap"}
    for film in films.values():
        data = film.read_bytes()
        assert struct.unpack("=I", data[:4])[0] == 0xA1B2C3D4
        assert b"GET /orders/swlb" in data
        assert film.stat().st_mode & 0o777 == 0o600


def test_the_table_shows_what_anybody_could_read(wire: Lab) -> None:
    shown = " ".join(wire.user.run("report", wire.name).out.split())
    assert 'plain-net: clear on 2 ways anybody on the underlay could read: "GET /orders/swlb' in shown


def test_a_capture_into_which_nothing_comes_vouches_for_nothing(wire: Lab) -> None:
    """VXLAN from host1 is dropped before it gets to the wire: no canary is read there, so nothing is proven there,
    clear or encrypted.
    """
    rule = ["OUTPUT", "-p", "udp", "--dport", "4789", "-j", "DROP"]
    with wire.user.broken(wire.name, "host1", ["iptables", "-I", *rule], ["iptables", "-D", *rule]):
        _, report = wire.user.report("verify", wire.name)
    from_host1, from_host2 = ("host1", "host2"), ("host2", "host1")
    for network in ("plain-net", "typo-net", "secret-net"):
        check = of(report, network)[from_host1]
        assert (check["verdict"], check["observed"]) == ("inconclusive", "unknown"), check
    plain, secret = of(report, "plain-net"), of(report, "secret-net")[from_host1]
    assert "the capture on host1 did not read the canary; it did not arrive either" in plain[from_host1]["explanation"]
    assert (
        "the capture on host1 is not proven: the canary of plain plain-net and typo-net to host2 was not seen"
        in secret["explanation"]
    )
    assert plain[from_host2]["verdict"] == "pass", "what host2 sends is read on host2"


def test_a_host_without_packet_sockets_proves_nothing(wire: Lab) -> None:
    """Without an agent on host2 nothing is known about either direction."""
    hide, show = (
        ["mv", "/usr/bin/python3", "/usr/bin/python3.hidden"],
        ["mv", "/usr/bin/python3.hidden", "/usr/bin/python3"],
    )
    with wire.user.broken(wire.name, "host2", hide, show):
        _, report = wire.user.report("verify", wire.name)
    assert {c["verdict"] for c in checks(report, kind="wire", from_host="host2")} == {"inconclusive"}
    assert of(report, "secret-net")[("host1", "host2")]["verdict"] == "inconclusive"
    assert "the agent is gone" in of(report, "plain-net")[("host2", "host1")]["explanation"]


def test_an_engines_missing_rule_is_found_by_the_wire_alone(wire: Lab) -> None:
    """host1's MARK rule deleted: what should be encrypted leaves in clear, and is red whatever the kernel can."""
    numbers = wire.on("host1", "sh", "-c", "iptables -t mangle -S OUTPUT | grep -- '-j MARK'").splitlines()
    assert len(numbers) == 1, numbers
    rule = numbers[0].removeprefix("-A ")
    delete, add = (f"iptables -t mangle {flag} {rule}" for flag in ("-D", "-A"))
    with wire.user.broken(wire.name, "host1", ["sh", "-c", delete], ["sh", "-c", add]):
        status, report = wire.user.report("verify", wire.name)
    assert status == 1
    secret = of(report, "secret-net")
    assert (secret["host1", "host2"]["verdict"], secret["host1", "host2"]["observed"]) == ("fail", "clear")
    assert "secret-net is not encrypted from host1 to host2" in secret["host1", "host2"]["explanation"]
    assert secret["host2", "host1"]["verdict"] != "fail", "host2 still marks"
    assert "cleartext:secret-net@host1" in {f["id"] for f in report["findings"]}


def test_overlays_that_are_all_encrypted_get_a_plain_one_beside(user: User, tmp_path: Path) -> None:
    """The lab's own control overlay proves the capture where the scenario has nothing plain."""
    text = (ROOT / "scenarios/plain-vs-encrypted/compose.yaml").read_text()
    start, end = text.index("    - network: plain-net"), text.index("    - network: secret-net\n      wire")
    changed = (
        (text[:start] + text[end:])
        .replace("[plain-net, secret-net]", "[secret-net]")
        .replace("  plain-net:\n    driver: overlay\n", "")
    )
    file = tmp_path / "compose.yaml"
    file.write_text(changed)
    try:
        ended = user.run("up", str(file), "--name", "e2e-secret", "--provider", "docker")
        assert ended.status in (0, 4), ended
        _, report = user.report("report", "e2e-secret")
        found = of(report, "secret-net")
        assert found.keys() == WAYS
        assert {c["evidence"]["capture_proven_by"] for c in found.values()} == {
            "the canary of plain swarmlab-control-e2e-secret, read in clear"
        }
    finally:
        assert user.run("down", "e2e-secret").status == 0
