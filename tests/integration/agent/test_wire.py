"""The wire as one agent sees it: real packets between real namespaces, at a rate that a ring must bear."""

from __future__ import annotations

import base64
import os
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from swarmlab.probes.session.bundle import agent_archive, bootstrap
from tests.integration.agent.rig import AgentProcess, Net, wait_for

pytestmark = pytest.mark.root

TAG = "swlb00112233"
CANARY = TAG + "a1" * 8
OTHER = TAG + "b2" * 8
DATA_PORT = 4789
BLASTER = Path(__file__).parent / "blaster.py"


def resident(net: Net, index: int) -> AgentProcess:
    """An agent whose own namespace is number `index`."""
    return AgentProcess(["ip", "netns", "exec", net.names[index], *bootstrap(len(agent_archive()))])


@pytest.fixture
def pair(make_net: Callable[[int], Net]) -> Iterator[tuple[Net, AgentProcess, AgentProcess]]:
    """Two namespaces, an agent at home in each."""
    net = make_net(2)
    agents = resident(net, 0), resident(net, 1)
    yield net, *agents
    for agent in agents:
        agent.close()


def start(agent: AgentProcess, endpoints: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    canaries = {"c1": CANARY, "c2": OTHER}
    head = {"op": "wire_start", "data_port": DATA_PORT, "port": 24000, "tag": TAG, "canaries": canaries}
    answer = agent.ask(**{**head, "endpoints": endpoints or [], **more})
    assert answer["op"] == "wire_start", answer
    assert answer["error"] == ""
    return answer


def stop(agent: AgentProcess) -> dict[str, Any]:
    answer = agent.ask(op="wire_stop")
    assert answer["op"] == "wire_stop", answer
    assert answer["complete"] is True
    return answer


def vxlan(vni: int, inner: bytes) -> bytes:
    return struct.pack("!II", 0x08000000, vni << 8) + inner


SEND = """
import socket, sys
sock = socket.socket(*eval(sys.argv[1]))
for _ in range({}):
    sock.sendto(bytes.fromhex(sys.argv[3]), eval(sys.argv[2]))
"""


def send(
    net: Net, index: int, payload: bytes, port: int = DATA_PORT, times: int = 1, kind: str = "(2, 2)", to: int = 1
) -> None:
    """From a namespace to another, as UDP or (kind (2, 3, protocol)) as raw IP."""
    net.inside(index, sys.executable, "-c", SEND.format(times), kind, repr((net.address(to), port)), payload.hex())


def counts(answer: dict[str, Any], outgoing: bool) -> dict[tuple[str, int], int]:
    return {(c["kind"], c["number"]): c["packets"] for c in answer["counts"] if c["outgoing"] is outgoing}


def test_both_ends_count_by_kind_and_find_the_canary(pair: tuple[Net, AgentProcess, AgentProcess]) -> None:
    net, here, there = pair
    for agent in (here, there):
        start(agent, pcap_bytes=65536)
    send(
        net,
        0,
        vxlan(
            4097, bytes(14) + b"E" + bytes(27) + f"GET /{CANARY} HTTP/1.1\r\nHost: db\r\n\r\n".encode() + b"\xff\x00"
        ),
        times=3,
    )
    send(net, 0, struct.pack("!II", 0xDEADBEEF, 1) + os.urandom(60), kind="(2, 3, 50)", port=0, times=2)
    send(net, 0, b"x" * 3000, port=9999)
    wait_for("the canary was seen", lambda: here.ask(op="wire_look")["left"] == ["c1"])
    left, arrived = stop(here), stop(there)
    for answer, outgoing in ((left, True), (arrived, False)):
        found = counts(answer, outgoing)
        assert found["vxlan", 4097] == 3
        assert found["esp", 0xDEADBEEF] == 2
        assert found["fragment", 17] == 2
        assert answer["drops"] == answer["uncounted"] == 0
        (canary,) = (
            c for c in answer["canaries"] if c["where"]["outgoing"] is outgoing and c["where"]["kind"] == "vxlan"
        )
        where = canary["where"]
        assert (canary["canary"], where["number"]) == ("c1", 4097)
        assert (where["source"], where["target"], where["packets"]) == (net.address(0), net.address(1), 3)
        assert canary["excerpt"] == f"GET /{CANARY} HTTP/1.1\r\nHost: db\r\n\r\n"
    pcap = base64.b64decode(left["pcap"])
    assert struct.unpack("=I", pcap[:4])[0] == 0xA1B2C3D4
    assert pcap.count(CANARY.encode()) >= 3
    assert struct.unpack("!H", pcap[24 + 16 : 24 + 18])[0] <= 4


def test_a_canary_in_any_other_packet_is_found_too(pair: tuple[Net, AgentProcess, AgentProcess]) -> None:
    """Another port than the data path's, and an ESP packet that does not encrypt."""
    net, here, _ = pair
    start(here)
    send(net, 0, b"hello " + CANARY.encode(), port=7777)
    send(net, 0, struct.pack("!II", 7, 1) + OTHER.encode(), kind="(2, 3, 50)", port=0)
    answer = stop(here)
    assert {
        (c["canary"], c["where"]["kind"], c["where"]["number"]) for c in answer["canaries"] if c["where"]["outgoing"]
    } == {
        ("c1", "other", 17),
        ("c2", "esp", 7),
    }


def test_what_arrives_in_a_namespace_is_told_and_sent_from_there(pair: tuple[Net, AgentProcess, AgentProcess]) -> None:
    net, here, there = pair
    opened = start(here, [net.endpoint(0)])
    start(there, [net.endpoint(1), {"id": "gone", "path": "/run/netns/no-such"}])
    assert opened["endpoints"][0]["hardware"].keys() == {net.address(0)}
    datagrams = [
        {"source": "t0", "address": net.address(1), "payload": f"GET /{CANARY}", "times": 2},
        {"source": "x", "address": "10.0.0.1", "payload": ""},
    ]
    errors = here.ask(op="wire_send", datagrams=datagrams)["errors"]
    assert errors == ["", "no endpoint 'x' is watched here"]
    wait_for("it arrived", lambda: there.ask(op="wire_look")["arrived"]["t1"] == {"c1": 2})
    assert here.ask(op="wire_look")["arrived"] == {"t0": {}}, "what leaves does not arrive"
    assert stop(there)["arrived"] == {"t1": {"c1": 2}, "gone": {}}


def test_a_forged_frame_goes_past_the_senders_own_filter(pair: tuple[Net, AgentProcess, AgentProcess]) -> None:
    net, here, there = pair
    net.inside(1, "ip", "link", "add", "vx", "type", "vxlan", "id", "4097", "dstport", str(DATA_PORT))
    net.inside(1, "ip", "link", "set", "vx", "up")
    net.inside(1, "ip", "addr", "add", "10.99.0.1/24", "dev", "vx")
    net.inside(0, "iptables", "-I", "OUTPUT", "-p", "udp", "--dport", str(DATA_PORT), "-j", "DROP")
    opened = start(there, [net.endpoint(1)])
    start(here)
    frame = {
        "peer": net.address(1), "data_port": DATA_PORT, "vni": 4097, "from_hardware": "02:42:0a:63:00:02",
        "to_hardware": opened["endpoints"][0]["hardware"]["10.99.0.1"],
        "from_address": "10.99.0.2", "to_address": "10.99.0.1",
        "port": 24000, "payload": f"GET /{OTHER}", "times": 2,
    }  # fmt: skip
    assert here.ask(op="wire_inject", frames=[frame, {**frame, "vni": 4098}])["errors"] == ["", ""]
    wait_for("the frame arrived", lambda: there.ask(op="wire_look")["arrived"]["t1"] == {"c2": 2})
    lost = here.ask(op="wire_inject", frames=[{**frame, "peer": "192.0.2.1"}])["errors"]
    assert "no forged frame could be sent" in lost[0]


def test_the_kernels_own_tables_are_told(pair: tuple[Net, AgentProcess, AgentProcess]) -> None:
    net, here, _ = pair
    rule = ["-p", "udp", "--dport", str(DATA_PORT), "-m", "u32", "--u32", f"0>>22&0x3C@12&0xFFFFFF00={4097 << 8}", "-j"]
    net.inside(0, "iptables", "-t", "mangle", "-A", "OUTPUT", *rule, "MARK", "--set-mark", "13681891")
    net.inside(0, "iptables", "-A", "INPUT", *rule, "DROP")
    send(net, 0, vxlan(4097, b"x" * 60), times=4)
    send(net, 0, vxlan(4098, b"x" * 60), times=1)
    answer = here.ask(op="wire_state", vnis=[4097])
    told = {(r["table"], r["chain"], r["target"], r["mark"], r["packets"]) for r in answer["rules"]}
    assert told == {("mangle", "OUTPUT", "MARK", 13681891, 4), ("filter", "INPUT", "DROP", 0, 0)}
    assert answer["forms"]
    assert answer["errors"] == []
    assert answer["states"] == [], "this namespace has no IPsec"


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ({"op": "wire_start", "data_port": 0}, "tag: expected a string"),
        ({"op": "wire_start", "tag": "no!"}, "tag: expected 8 to 24"),
        (
            {"op": "wire_start", "tag": TAG, "data_port": 1, "port": 1, "canaries": {"c": "short"}},
            "canaries: 'c': expected the tag",
        ),
        ({"op": "wire_stop"}, "nothing is captured"),
        ({"op": "wire_state", "vnis": [0]}, "vnis: expected a number from 1"),
        (
            {"op": "wire_send", "datagrams": [{"source": "a", "address": "::1", "payload": ""}]},
            "address: '::1' is not an IPv4 address",
        ),
    ],
)
def test_bad_requests_are_told_apart(agent: AgentProcess, request_: dict[str, Any], text: str) -> None:
    answer = agent.ask(**request_)
    assert answer["op"] == "error"
    assert text in answer["text"]


def resident_kilobytes(agent: AgentProcess) -> int:
    status = Path(f"/proc/{agent.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def test_50_000_packets_a_second_for_10_s(pair: tuple[Net, AgentProcess, AgentProcess]) -> None:
    """Memory does not grow, and what is not counted is told: packets counted and dropped add up to those that were
    sent.
    """
    net, here, _ = pair
    start(here)
    before = resident_kilobytes(here)
    hardware = net.inside(1, "cat", "/sys/class/net/eth0/address").strip()
    blaster = net.spawn(0, sys.executable, str(BLASTER), hardware, "50000", "10", CANARY)
    highest, deadline = before, time.monotonic() + 40
    while blaster.poll() is None and time.monotonic() < deadline:
        highest = max(highest, resident_kilobytes(here))
        here.ask(op="wire_look")
        time.sleep(0.2)
    assert blaster.stdout is not None
    sent, seconds = (float(word) for word in blaster.stdout.read().split())
    answer = stop(here)
    counted = counts(answer, True).get(("vxlan", 4097), 0)
    print(f"sent {sent:.0f} in {seconds:.1f} s, counted {counted}, dropped {answer['drops']}, {before} -> {highest} kB")
    assert sent >= 400_000, "the blaster itself is too slow to show anything"
    others = sum(c["packets"] for c in answer["counts"]) - counted
    assert counted + answer["drops"] - sent <= others, "nothing is counted twice"
    assert counted + answer["drops"] >= sent, "what is not counted is told as dropped"
    assert highest - before < 16 * 1024, "memory does not grow with what passes"
    assert [c["canary"] for c in answer["canaries"] if c["where"]["outgoing"]] == ["c1"]


def test_a_ring_that_is_too_small_says_so(pair: tuple[Net, AgentProcess, AgentProcess]) -> None:
    """The recorder is kept from its work: what the ring cannot hold is told, not forgotten."""
    net, here, _ = pair
    start(here, budget=1 << 20)
    hardware = net.inside(1, "cat", "/sys/class/net/eth0/address").strip()
    os.kill(here.process.pid, 19)  # SIGSTOP
    try:
        blaster = net.spawn(0, sys.executable, str(BLASTER), hardware, "50000", "1", CANARY)
        blaster.wait(30)
    finally:
        os.kill(here.process.pid, 18)
    assert blaster.stdout is not None
    sent = float(blaster.stdout.read().split()[0])
    answer = stop(here)
    assert answer["drops"] > 0
    assert counts(answer, True)["vxlan", 4097] + answer["drops"] >= sent
