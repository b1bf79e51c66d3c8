"""Sizes between real namespaces: what passes whole, what is lost by size alone, and what tells that apart from a dead
way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from swarmlab.probes.session.bundle import agent_archive, bootstrap
from tests.integration.agent.rig import PORT, AgentProcess, Net, run

pytestmark = pytest.mark.root
BULK = 200_000


def opened(agent: AgentProcess, net: Net, *indexes: int) -> None:
    """These endpoints, all well."""
    answer = agent.open([net.endpoint(index) for index in indexes])
    assert {entry["error"] for entry in answer.values()} == {""}


def measure_mtu(agent: AgentProcess, *sizes: tuple[str, str, int], timeout: float = 1.0) -> list[dict[str, Any]]:
    """(from, address, bulk) each."""
    entries = [
        {"id": n, "source": source, "address": address, "bulk": bulk} for n, (source, address, bulk) in enumerate(sizes)
    ]
    answer = agent.ask(op="mtu", timeout=timeout, sizes=entries)
    assert answer["op"] == "mtu", answer
    return [next(entry for entry in answer["sizes"] if entry["id"] == n) for n in range(len(sizes))]


def narrow(net: Net, index: int, mtu: int) -> None:
    """The switch's port to this namespace takes no larger frame, and says nothing about it; transfers leave in single
    packets.
    """
    run("ip", "-n", net.switch, "link", "set", f"p{index}", "mtu", str(mtu))
    for name in net.names:
        run("ip", "-n", name, "link", "set", "eth0", "gso_max_segs", "1")


def test_a_full_size_datagram_and_a_transfer_pass_both_ways(agent: AgentProcess, net: Net) -> None:
    opened(agent, net, 0, 1)
    there, back = measure_mtu(agent, ("t0", net.address(1), BULK), ("t1", net.address(0), BULK))
    for found, target in ((there, "t1"), (back, "t0")):
        assert (found["error"], found["interface"], found["mtu"], found["largest"]) == ("", "eth0", 1500, 1500)
        assert (found["small"], found["full"], found["exact"], found["responder"]) == (True, True, True, target)
        assert [(b["size"], b["moved"], b["responder"]) for b in (found["control"], found["bulk"])] == [
            (64, 64, target),
            (BULK, BULK, target),
        ]


def test_the_interfaces_own_mtu_is_the_full_size(agent: AgentProcess, net: Net) -> None:
    net.inside(0, "ip", "link", "set", "eth0", "mtu", "1280")
    opened(agent, net, 0, 1)
    (found,) = measure_mtu(agent, ("t0", net.address(1), 0))
    assert (found["mtu"], found["full"], found["largest"], found["bulk"]) == (1280, True, 1280, None)


def test_a_narrow_place_on_the_way_is_measured_to_the_byte(agent: AgentProcess, net: Net) -> None:
    narrow(net, 1, 1300)
    opened(agent, net, 0, 1, 2)
    there, elsewhere = measure_mtu(agent, ("t0", net.address(1), BULK), ("t0", net.address(2), BULK), timeout=2.0)
    assert (there["mtu"], there["small"], there["full"], there["largest"], there["exact"]) == (
        1500,
        True,
        False,
        1300,
        True,
    )
    assert there["tries"] >= 3
    few, many = there["control"], there["bulk"]
    assert few["responder"] == "t1"
    assert (many["outcome"], many["responder"]) == ("timed_out", "")
    assert many["moved"] < BULK
    assert many["idle_ms"] > 800
    assert (elsewhere["full"], elsewhere["bulk"]["moved"]) == (True, BULK)


def test_a_dead_way_acknowledges_nothing_at_all(agent: AgentProcess, net: Net) -> None:
    opened(agent, net, 0, 1)
    net.unplug(1)
    (found,) = measure_mtu(agent, ("t0", net.address(1), BULK), timeout=0.5)
    assert (found["error"], found["small"], found["full"], found["largest"], found["exact"]) == (
        "",
        False,
        False,
        0,
        False,
    )
    assert [b["responder"] for b in (found["control"], found["bulk"])] == ["", ""]


def test_a_sender_that_cannot_send_says_why(agent: AgentProcess, net: Net) -> None:
    opened(agent, net, 0)
    (unknown, unrouted) = measure_mtu(agent, ("t9", net.address(0), 0), ("t0", "192.0.2.1", 0))
    assert "no endpoint 't9'" in unknown["error"]
    assert (unrouted["small"], unrouted["full"]) == (False, False)
    assert "ENETUNREACH" in unrouted["detail"]


def test_without_size_probes_it_tells_the_fragments_that_came(make_net: Callable[[int], Net]) -> None:
    net = make_net(2)
    archive = agent_archive()
    agent = AgentProcess(["ip", "netns", "exec", net.names[1], *bootstrap(len(archive))])
    try:
        agent.open([net.endpoint(0), net.endpoint(1)])
        before = agent.ask(op="mtu", timeout=1.0, sizes=[])["fragments"]["arrived"]
        measure_mtu(agent, ("t0", net.address(1), BULK))
        assert agent.ask(op="mtu", timeout=1.0, sizes=[])["fragments"]["arrived"] == before
        script = f"import socket; socket.socket(2, 2).sendto(bytes(4000), ('{net.address(1)}', 9))"
        net.inside(0, "python3", "-c", script)
        assert agent.ask(op="mtu", timeout=1.0, sizes=[])["fragments"]["arrived"] == before + 3
    finally:
        agent.close()


def test_vxlan_in_fragments_is_seen_by_the_counter_alone(make_net: Callable[[int], Net]) -> None:
    """The inner packet passes whole; only the receiver's own counter tells that the outer one did not."""
    net = make_net(2)
    for index in (0, 1):
        net.inside(index, "ip", "link", "set", "eth0", "mtu", "1300")
        peer = net.address(1 - index)
        made = [
            "ip",
            "link",
            "add",
            "vx0",
            "type",
            "vxlan",
            "id",
            "77",
            "remote",
            peer,
            "local",
            net.address(index),
            "dstport",
            "4789",
        ]
        net.inside(index, *made)
        net.inside(index, "ip", "addr", "add", f"10.88.0.{index + 1}/24", "dev", "vx0")
        net.inside(index, "ip", "link", "set", "vx0", "mtu", "1450", "up")
    archive = agent_archive()
    agent = AgentProcess(["ip", "netns", "exec", net.names[1], *bootstrap(len(archive))])
    try:
        opened(agent, net, 0, 1)
        before = agent.ask(op="mtu", timeout=1.0, sizes=[])["fragments"]["arrived"]
        overlay, underlay = measure_mtu(agent, ("t0", "10.88.0.2", 0), ("t0", net.address(1), 0))
        assert (overlay["mtu"], overlay["full"], underlay["largest"]) == (1450, True, 1300)
        assert agent.ask(op="mtu", timeout=1.0, sizes=[])["fragments"]["arrived"] > before
    finally:
        agent.close()


@pytest.mark.parametrize("size", [0, 64 * 1024 * 1024])
def test_a_listener_takes_no_transfer_of_an_unreasonable_size(agent: AgentProcess, net: Net, size: int) -> None:
    opened(agent, net, 0)
    script = (
        f"import socket; s = socket.create_connection(('127.0.0.1', {PORT}), 5); "
        f"s.send(b'SWLK' + bytes.fromhex('00112233445566ff') + ({size}).to_bytes(4, 'big')); print(s.recv(99))"
    )
    assert net.inside(0, "python3", "-c", script).strip() == "b''"
    assert agent.ask(op="seen", probes=[{"id": 0, "target": "t0", "protocol": "udp"}])["listeners"] == {"t0": ""}


def test_a_transfer_that_comes_in_drops_is_taken_all_the_same(agent: AgentProcess, net: Net) -> None:
    """The head later than the connection, and the rest in pieces."""
    opened(agent, net, 0)
    script = (
        f"import socket, time; s = socket.create_connection(('127.0.0.1', {PORT}), 5); time.sleep(0.1); "
        "s.send(b'SWLK' + bytes.fromhex('00112233445566ff') + (3).to_bytes(4, 'big')); "
        "[(time.sleep(0.05), s.send(b'x')) for _ in range(3)]; print(s.recv(99)[16:])"
    )
    assert net.inside(0, "python3", "-c", script).strip() == "b't0'"


@pytest.mark.parametrize("change", [{"id": 65535}, {"address": "nowhere"}, {"bulk": -1}, {"bulk": 1 << 30}])
def test_a_size_probe_that_makes_no_sense_is_refused(agent: AgentProcess, net: Net, change: dict[str, Any]) -> None:
    opened(agent, net, 0)
    answer = agent.ask(
        op="mtu", timeout=1.0, sizes=[{"id": 0, "source": "t0", "address": "10.77.0.1", "bulk": 0, **change}]
    )
    assert answer["op"] == "error"
