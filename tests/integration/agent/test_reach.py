"""What a sender can see: each way of getting no answer is told apart, and an answer names who gave it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from swarmlab.agent.protocol.probing import SILENT
from tests.integration.agent.rig import PORT, RUN, AgentProcess, Net

pytestmark = pytest.mark.root
ALL = ("tcp", "udp", "icmp")


def opened(agent: AgentProcess, net: Net, *indexes: int) -> None:
    """These endpoints, all well."""
    answer = agent.open([net.endpoint(index) for index in indexes])
    assert {entry["error"] for entry in answer.values()} == {""}


def outcomes(fired: dict[int, dict[str, object]]) -> list[object]:
    """In the order of the probes' ids."""
    return [fired[probe]["outcome"] for probe in sorted(fired)]


def three(sender: str, address: str, port: int = PORT) -> list[tuple[int, str, str, str, int]]:
    """One probe of each protocol, with ids 0, 1, 2."""
    return [(place, sender, protocol, address, port) for place, protocol in enumerate(ALL)]


def test_every_pair_is_answered_by_the_endpoint_that_was_meant(agent: AgentProcess, net: Net) -> None:
    opened(agent, net, 0, 1, 2)
    pairs = [(i, j, p) for i in range(3) for j in range(3) for p in ALL]
    fired = agent.fire([(n, f"t{i}", p, net.address(j), PORT) for n, (i, j, p) in enumerate(pairs)], 2.0)
    for number, (_i, j, protocol) in enumerate(pairs):
        assert fired[number]["outcome"] == "answered", (pairs[number], fired[number])
        assert fired[number]["responder"] == ("" if protocol == "icmp" else f"t{j}")
        assert fired[number]["left"] is True
        assert 0 < fired[number]["latency_ms"] < 2000


def test_two_agents_answer_each_other_and_tell_what_they_saw(make_agent: Callable[[], AgentProcess], net: Net) -> None:
    first, second = make_agent(), make_agent()
    opened(first, net, 0)
    opened(second, net, 1)
    fired = first.fire(three("t0", net.address(1)), 2.0)
    assert outcomes(fired) == ["answered"] * 3
    assert [fired[n]["responder"] for n in (0, 1)] == ["t1", "t1"]
    seen = second.seen(fired, "t1", ALL)
    assert [(entry["seen"], entry["answer_left"]) for entry in seen["probes"]] == [(True, True)] * 3
    assert seen["listeners"] == {"t1": ""}


def test_the_answer_comes_from_the_address_that_was_asked(agent: AgentProcess, net: Net) -> None:
    net.inside(1, "ip", "addr", "add", "10.77.9.9/16", "dev", "eth0")
    opened(agent, net, 0, 1)
    assert outcomes(agent.fire(three("t0", "10.77.9.9"), 2.0)) == ["answered"] * 3


def test_a_port_without_listener_is_refused(agent: AgentProcess, net: Net) -> None:
    opened(agent, net, 0, 1)
    fired = agent.fire([(0, "t0", "tcp", net.address(1), 9), (1, "t0", "udp", net.address(1), 9)])
    assert outcomes(fired) == ["refused", "refused"]
    assert "ICMP type 3 code 3" in fired[1]["detail"]


def test_a_request_that_is_lost_left_and_was_never_seen(agent: AgentProcess, net: Net) -> None:
    opened(agent, net, 0, 1)
    assert outcomes(agent.fire(three("t0", net.address(1)), 2.0)) == ["answered"] * 3  # so that ARP is done
    agent.seen({}, "t1", ())
    net.unplug(0)
    fired = agent.fire(three("t0", net.address(1)))
    assert outcomes(fired) == ["timed_out"] * 3
    assert [(e["left"], e["via"], e["lost_records"]) for e in fired.values()] == [(True, "eth0", 0)] * 3
    assert [e["sends"] for e in fired.values()] == [1, 4, 4]
    seen = agent.seen(fired, "t1", ALL)
    assert [(e["seen"], e["answer_left"]) for e in seen["probes"]] == [(False, False)] * 3
    assert seen["listeners"] == {"t1": ""}


def test_an_answer_that_is_lost_was_seen_and_left_the_target(agent: AgentProcess, net: Net) -> None:
    opened(agent, net, 0, 1)
    net.inside(0, "iptables", "-A", "INPUT", "-s", net.address(1), "-j", "DROP")
    fired = agent.fire(three("t0", net.address(1)))
    assert outcomes(fired) == ["timed_out"] * 3
    assert [e["left"] for e in fired.values()] == [True] * 3
    seen = agent.seen(fired, "t1", ALL)
    assert [(e["seen"], e["answer_left"]) for e in seen["probes"]] == [(True, True)] * 3


def test_a_target_that_drops_has_seen_the_request_and_answered_nothing(agent: AgentProcess, net: Net) -> None:
    opened(agent, net, 0, 1)
    net.inside(1, "iptables", "-A", "INPUT", "-s", net.address(0), "-j", "DROP")
    fired = agent.fire(three("t0", net.address(1)))
    assert outcomes(fired) == ["timed_out"] * 3
    seen = agent.seen(fired, "t1", ALL)
    assert [(e["seen"], e["answer_left"]) for e in seen["probes"]] == [(True, False)] * 3
    assert seen["listeners"] == {"t1": ""}


def test_without_a_route_nothing_leaves_and_no_time_is_lost(agent: AgentProcess, net: Net) -> None:
    opened(agent, net, 0)
    fired = agent.fire(three("t0", "198.51.100.7"), 20.0)
    assert outcomes(fired) == ["no_route"] * 3
    assert [(e["left"], e["sends"]) for e in fired.values()] == [(False, 0)] * 3
    assert "ENETUNREACH" in fired[0]["detail"]


def test_the_senders_own_firewall_is_not_a_missing_route(agent: AgentProcess, net: Net) -> None:
    opened(agent, net, 0, 1)
    net.inside(0, "iptables", "-A", "OUTPUT", "-d", net.address(1), "-j", "DROP")
    fired = agent.fire(three("t0", net.address(1)))
    assert outcomes(fired) == ["timed_out", "send_error", "send_error"]
    assert [e["left"] for e in fired.values()] == [False] * 3
    assert "firewall" in fired[0]["detail"] and "firewall" in fired[1]["detail"]


def test_a_router_that_says_unreachable(agent: AgentProcess, make_net: Callable[[int], Net]) -> None:
    """n3 routes to a subnet that it has no way to. One sender per protocol: it tells each of them only once a
    second.
    """
    net = make_net(4)
    net.inside(3, "sysctl", "-qw", "net.ipv4.ip_forward=1")
    net.inside(3, "ip", "route", "add", "unreachable", "198.51.100.0/24")
    for index in range(3):
        net.inside(index, "ip", "route", "add", "198.51.100.0/24", "via", net.address(3))
    opened(agent, net, 0, 1, 2)
    fired = agent.fire(
        [(place, f"t{place}", protocol, "198.51.100.7", PORT) for place, protocol in enumerate(ALL)], 2.5
    )
    assert outcomes(fired) == ["unreachable"] * 3
    assert [e["left"] for e in fired.values()] == [True] * 3
    assert (
        f"code 1 from {net.address(3)}" in fired[1]["detail"] and f"code 1 from {net.address(3)}" in fired[2]["detail"]
    )


def test_an_address_that_nobody_has_is_asked_for_by_arp(agent: AgentProcess, net: Net) -> None:
    opened(agent, net, 0)
    fired = agent.fire(three("t0", "10.77.3.3"))
    assert outcomes(fired) == ["timed_out"] * 3
    assert [(e["left"], e["asked"]) for e in fired.values()] == [(False, True)] * 3
    patient = agent.fire(three("t0", "10.77.3.4"), 6.0)
    assert outcomes(patient) == ["unreachable"] * 3
    assert [(e["left"], e["asked"]) for e in patient.values()] == [(False, True)] * 3
    assert "ARP got no answer" in patient[0]["detail"]


def test_a_rejecting_firewall_is_refused_and_a_prohibiting_one_unreachable(agent: AgentProcess, net: Net) -> None:
    opened(agent, net, 0, 1)
    net.inside(1, "iptables", "-A", "INPUT", "-p", "udp", "-j", "REJECT", "--reject-with", "icmp-port-unreachable")
    net.inside(1, "iptables", "-A", "INPUT", "-p", "icmp", "-j", "REJECT", "--reject-with", "icmp-admin-prohibited")
    net.inside(1, "iptables", "-A", "INPUT", "-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset")
    fired = agent.fire(three("t0", net.address(1)))
    assert outcomes(fired) == ["refused", "refused", "unreachable"]
    assert "code 13" in fired[2]["detail"]


def test_an_application_on_an_extra_port_counts_as_an_answer_of_nobody(agent: AgentProcess, net: Net) -> None:
    """One of them never looks at its connections, the other answers: that is told apart."""
    mute = "import socket,time\ns=socket.create_server(('',5432))\n"
    talks = (
        "t=socket.create_server(('',5434))\nprint('up',flush=True)\nc=t.accept()[0]\nc.send(b'hello')\ntime.sleep(60)"
    )
    process = net.spawn(1, "python3", "-c", mute + talks)
    assert process.stdout is not None and process.stdout.readline() == b"up\n"
    answer = agent.open([net.endpoint(0), net.endpoint(1, extra_ports=[5432, 5433, 5434])])
    assert answer["t1"]["extra_ports"] == {"5432": "taken", "5433": "ours", "5434": "taken"}
    fired = agent.fire([(i, "t0", "tcp", net.address(1), 5432 + i) for i in range(3)], 2.0)
    assert [(e["outcome"], e["responder"], e["detail"]) for e in fired.values()] == [
        ("answered", "", SILENT), ("answered", "t1", ""), ("answered", "", ""),
    ]  # fmt: skip


def test_a_watched_port_is_captured_but_nobody_listens_on_it(agent: AgentProcess, net: Net) -> None:
    answer = agent.open([net.endpoint(0, watched=[8080]), net.endpoint(1, watched=[8080])])
    assert [answer[t]["error"] for t in ("t0", "t1")] == ["", ""]
    fired = agent.fire([(0, "t0", "tcp", net.address(1), 8080), (1, "t0", "udp", net.address(1), 8080)])
    assert [(e["outcome"], e["left"]) for e in fired.values()] == [("refused", True)] * 2
    for _ in range(2):  # captures may be asked again about the same batch
        seen = agent.seen(fired, "t1", ["tcp", "udp"], 8080)
        assert [e["seen"] for e in seen["probes"]] == [True, True]
        assert seen["listeners"] == {"t1": ""}


def test_no_more_ports_are_watched_than_a_filter_can_hold(agent: AgentProcess, net: Net) -> None:
    wanted = net.endpoint(0, extra_ports=list(range(1000, 1040)), watched=list(range(2000, 2040)))
    answer = agent.ask(op="open", run=RUN, port=PORT, endpoints=[wanted])
    assert (answer["op"], "fewer than 64 ports together" in answer["text"]) == ("error", True)


def test_what_accepts_on_our_port_but_is_not_ours_is_not_taken_for_ours(agent: AgentProcess, net: Net) -> None:
    server = f"import socket,time\ns=socket.create_server(('',{PORT}))\nprint('up',flush=True)\ntime.sleep(60)"
    process = net.spawn(1, "python3", "-c", server)
    assert process.stdout is not None and process.stdout.readline() == b"up\n"
    assert agent.open([net.endpoint(1)])["t1"]["error"].startswith("port_taken: tcp port 41000")
    opened(agent, net, 0)
    fired = agent.fire([(0, "t0", "tcp", net.address(1), PORT)])
    assert (fired[0]["outcome"], fired[0]["responder"]) == ("answered", "")
    assert "without our listener's answer" in fired[0]["detail"]


def test_ipv6_is_probed_by_tcp_and_udp(agent: AgentProcess, net: Net) -> None:
    for index in (0, 1):
        net.inside(index, "ip", "addr", "add", f"fd00:77::{index + 1}/64", "dev", "eth0", "nodad")
    opened(agent, net, 0, 1)
    fired = agent.fire(three("t0", "fd00:77::2"), 2.0)
    assert outcomes(fired) == ["answered", "answered", "send_error"]
    assert "IPv6" in fired[2]["detail"]


def test_another_run_is_not_answered(make_agent: Callable[[], AgentProcess], net: Net) -> None:
    """A listener that an earlier run left behind must not vouch for this one."""
    old, new = make_agent(), make_agent()
    old.open([net.endpoint(1)], run_id="f" * 16)
    opened(new, net, 0)
    fired = new.fire(three("t0", net.address(1))[:2])
    assert fired[1]["outcome"] == "timed_out"
    assert (fired[0]["outcome"], fired[0]["responder"]) == ("answered", "")
