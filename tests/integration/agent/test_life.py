"""How the agent lives and dies, what it refuses, and how it behaves when something is short."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from swarmlab.agent.protocol.message import VERSION
from swarmlab.probes.session.bundle import agent_archive, bootstrap
from tests.integration.agent.rig import PORT, AgentProcess, Net, wait_for

pytestmark = pytest.mark.root
ALL = ("tcp", "udp", "icmp")


def test_hello_says_what_the_host_is(agent: AgentProcess) -> None:
    answer = agent.ask(op="hello")
    assert answer["version"] == VERSION and answer["kernel"] == os.uname().release and answer["nofile"] > 0
    assert answer["python"].count(".") == 2
    assert abs(answer["clock"] - time.time()) < 5
    assert set(answer["missing_features"]) <= {"ip_vs", "esp"}
    start = time.monotonic()
    agent.ask(op="hello")
    assert time.monotonic() - start < 0.5


def test_trying_for_esp_leaves_no_association_and_no_namespace_behind(agent: AgentProcess) -> None:
    own = os.readlink("/proc/self/ns/net")
    agent.ask(op="hello")
    assert os.readlink(f"/proc/{agent.process.pid}/ns/net") == own


def test_the_agent_runs_from_memory_and_ends_with_its_input(agent: AgentProcess) -> None:
    agent.ask(op="hello")
    command = Path(f"/proc/{agent.process.pid}/cmdline").read_bytes().split(b"\0")
    assert command[-2].startswith(b"/proc/self/fd/")
    assert agent.end() == (0, "")


def test_it_ends_when_nobody_reads_its_answers(agent: AgentProcess, net: Net) -> None:
    agent.open([net.endpoint(0)])
    assert agent.process.stdout is not None
    agent.process.stdout.close()
    agent.send(op="hello")
    assert agent.process.wait(10) == 0
    assert agent.end() == (0, "")


def test_it_ends_in_the_middle_of_a_batch_when_its_input_ends(agent: AgentProcess, net: Net) -> None:
    agent.open([net.endpoint(0)])
    probe = {"id": 1, "source": "t0", "protocol": "udp", "address": "10.77.5.5", "port": PORT}
    agent.send(op="fire", timeout=60, probes=[probe], names=[])
    start = time.monotonic()
    assert agent.end() == (0, "")
    assert time.monotonic() - start < 5


def test_close_gives_everything_back_and_open_may_follow(agent: AgentProcess, net: Net) -> None:
    def descriptors() -> int:
        return len(os.listdir(f"/proc/{agent.process.pid}/fd"))

    agent.ask(op="hello")
    before = descriptors()
    for _ in range(3):
        agent.open([net.endpoint(index) for index in range(3)])
        fired = agent.fire([(n, "t0", p, net.address(1), PORT) for n, p in enumerate(ALL)], 2.0)
        assert {e["outcome"] for e in fired.values()} == {"answered"}
        assert descriptors() > before
        assert agent.ask(op="close") == {"op": "close"}
        wait_for("as few descriptors as before", lambda: descriptors() == before)
    assert "TIME-WAIT" not in net.inside(0, "ss", "-Htan") + net.inside(1, "ss", "-Htan")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"{", "not JSON"),
        (b"[1]", "a request is a JSON object"),
        (b'{"op": "explode"}', "unknown op 'explode': expected one of hello, open, fire, seen, close"),
        (b'{"op": "fire", "timeout": 1}', "nothing is open: send `open` first"),
        (b'{"op": "open", "run": "xyz", "port": 1, "endpoints": []}', "run: expected 16 hex digits, got 'xyz'"),
        (b'{"op": "open", "run": "0000000000000000", "port": 0}', "port: expected a number from 1 to 65535, got '0'"),
        (b'{"op": "open", "run": "0000000000000000", "port": 5, "endpoints": [{"id": 5}]}', "id: expected a string"),
        (
            b'{"op": "open", "run": "0000000000000000", "port": 5, "endpoints": [{"id": "a"}, {"id": "a"}]}',
            "an id occurs twice",
        ),
        (
            b'{"op": "open", "run": "0000000000000000", "port": 5, "endpoints": [{"id": "a", "path": "x"}]}',
            "expected an absolute path",
        ),
        (b"[" * 100_000, "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
    ],
)
def test_a_bad_request_gets_one_line_and_does_no_harm(agent: AgentProcess, line: bytes, text: str) -> None:
    assert agent.process.stdin is not None
    agent.process.stdin.write(line + b"\n")
    agent.process.stdin.flush()
    answer = agent.receive()
    assert answer["op"] == "error" and text in answer["text"]
    assert agent.ask(op="hello")["op"] == "hello"


def test_bad_probes_are_refused_as_a_whole(agent: AgentProcess, net: Net) -> None:
    agent.open([net.endpoint(0)])
    good = {"id": 1, "source": "t0", "protocol": "tcp", "address": "10.77.0.1", "port": PORT}
    changes: list[tuple[dict[str, object], str]] = [
        ({"address": "db; reboot"}, "is not an IP address"),
        ({"protocol": "sctp"}, "protocol: expected one of tcp, udp, icmp"),
        ({"port": 70000}, "port: expected a number"),
        ({"id": -1}, "id: expected a number"),
    ]
    for change, text in changes:
        answer = agent.ask(op="fire", timeout=1, probes=[{**good, **change}], names=[])
        assert answer["op"] == "error" and text in answer["text"]


def test_endpoints_that_do_not_exist_say_so(agent: AgentProcess, net: Net) -> None:
    sleeper = net.spawn(0, "sleep", "60")
    found = agent.open(
        [
            {"id": "no-pid", "pid": 4194000},
            {"id": "no-path", "path": "/run/netns/swarmlab-none"},
            {"id": "no-namespace", "path": "/etc/hostname"},
            {"id": "not-its-container", "pid": sleeper.pid, "container": "a" * 64},
            {"id": "well", "pid": sleeper.pid},
        ]
    )
    assert found["no-pid"]["error"] == "gone: process 4194000 does not exist"
    assert found["no-path"]["error"].startswith("gone: /run/netns/swarmlab-none cannot be opened")
    assert found["no-namespace"]["error"].startswith("failed: ")
    assert found["not-its-container"]["error"] == f"gone: process {sleeper.pid} is not of container aaaaaaaaaaaa"
    assert found["well"]["error"] == ""
    assert os.readlink(f"/proc/{agent.process.pid}/ns/net") == os.readlink("/proc/self/ns/net")


def test_an_endpoint_that_ends_after_open_can_neither_send_nor_vouch(agent: AgentProcess, net: Net) -> None:
    sleeper = net.spawn(0, "sleep", "60")
    wait_for("the sleeper is in its namespace", lambda: "sleep" in Path(f"/proc/{sleeper.pid}/comm").read_text())
    agent.open([{"id": "mortal", "pid": sleeper.pid}, net.endpoint(1)])
    sleeper.kill()
    sleeper.wait()
    probes = [
        (0, "mortal", "tcp", net.address(1)),
        (1, "t1", "tcp", net.address(0)),
        (2, "none", "udp", net.address(0)),
    ]
    fired = agent.fire([(*probe, PORT) for probe in probes])
    assert [fired[n]["outcome"] for n in range(3)] == ["sender_dead", "answered", "sender_dead"]
    assert fired[0]["detail"] == f"gone: process {sleeper.pid} does not exist"
    assert fired[2]["detail"] == "no endpoint 'none' was opened here"
    seen = agent.seen({1: fired[1]}, "mortal", ["tcp"])
    assert seen["listeners"] == {"mortal": f"gone: process {sleeper.pid} does not exist"}


def test_a_listener_that_cannot_be_reached_from_within_is_dead(agent: AgentProcess, net: Net) -> None:
    agent.open([net.endpoint(0), net.endpoint(1)])
    net.inside(1, "iptables", "-A", "INPUT", "-p", "udp", "-j", "DROP")
    fired = agent.fire([(0, "t0", "udp", net.address(1), PORT)])
    assert agent.seen(fired, "t1", ["udp"])["listeners"] == {"t1": "udp listener: timed_out"}


def test_a_capture_that_lost_packets_does_not_say_no(agent: AgentProcess, net: Net) -> None:
    agent.open([net.endpoint(0, buffer=1), net.endpoint(1)])
    net.unplug(0)
    for index in range(1, 3):
        net.inside(0, "ip", "neigh", "add", net.address(index), "lladdr", "02:00:00:00:00:01", "dev", "eth0")
    probes = [(n, "t0", "udp", net.address(1), PORT) for n in range(60)]
    fired = agent.fire(probes, 0.5)
    assert {e["outcome"] for e in fired.values()} == {"timed_out"}
    assert {e["lost_records"] > 0 for e in fired.values()} == {True}
    assert {e["left"] for e in fired.values()} == {True, None}


def test_a_wide_open_capture_says_no_with_certainty(agent: AgentProcess, net: Net) -> None:
    agent.open([net.endpoint(0)])
    fired = agent.fire([(n, "t0", "udp", "10.77.6.6", PORT) for n in range(60)])
    assert {(e["left"], e["asked"], e["lost_records"]) for e in fired.values()} == {(False, True, 0)}


def test_an_earlier_batch_does_not_vouch_for_a_later_one(agent: AgentProcess, net: Net) -> None:
    agent.open([net.endpoint(0), net.endpoint(1)])
    probes = [(n, "t0", p, net.address(1), PORT) for n, p in enumerate(ALL)]
    assert [e["seen"] for e in agent.seen(agent.fire(probes, 2.0), "t1", ALL)["probes"]] == [True] * 3
    net.unplug(0)
    fired = agent.fire(probes)
    assert {e["outcome"] for e in fired.values()} == {"timed_out"}
    assert [e["seen"] for e in agent.seen(fired, "t1", ALL)["probes"]] == [False] * 3


def test_a_blocked_matrix_costs_one_timeout(agent: AgentProcess, make_net: Callable[[int], Net]) -> None:
    net = make_net(20)
    agent.open([net.endpoint(index) for index in range(20)])
    for index in range(20):
        net.unplug(index)
    pairs = [(i, j, p) for i in range(20) for j in range(20) for p in ALL if i != j]
    start = time.monotonic()
    fired = agent.fire([(n, f"t{i}", p, net.address(j), PORT) for n, (i, j, p) in enumerate(pairs)], 1.0)
    took = time.monotonic() - start
    assert {e["outcome"] for e in fired.values()} == {"timed_out"}
    assert {e["left"] for e in fired.values()} == {False}
    assert took < 2.5, f"{len(pairs)} blocked probes took {took:.1f} s"


def test_a_slow_reader_does_not_silence_the_listeners(make_agent: Callable[[], AgentProcess], net: Net) -> None:
    slow, other = make_agent(), make_agent()
    slow.open([net.endpoint(0)])
    other.open([net.endpoint(1)])
    probes = [
        {"id": n, "source": "t0", "protocol": "tcp", "address": net.address(0), "port": PORT} for n in range(3000)
    ]
    slow.send(op="fire", timeout=5.0, probes=probes, names=[])
    wait_for("the pipe is full", lambda: _unread(slow) >= 60_000, 10)
    fired = other.fire([(n, "t1", p, net.address(0), PORT) for n, p in enumerate(ALL)], 2.0)
    assert {e["outcome"] for e in fired.values()} == {"answered"}
    assert len(slow.receive()["probes"]) == 3000


def _unread(agent: AgentProcess) -> int:
    assert agent.process.stdout is not None
    answer = fcntl.ioctl(agent.process.stdout.fileno(), termios.FIONREAD, b"\0" * 4)
    return int(struct.unpack("i", answer)[0])


def test_too_few_descriptors_make_batches_and_say_so(net: Net) -> None:
    archive = agent_archive()
    command = ["sh", "-c", 'ulimit -n 400; exec "$@"', "sh", *bootstrap(len(archive))]
    agent = AgentProcess(command=command)
    try:
        agent.open([net.endpoint(0), net.endpoint(1)])
        fired = agent.fire([(n, "t0", "tcp", net.address(1), PORT) for n in range(1000)], 3.0)
        assert {e["outcome"] for e in fired.values()} == {"answered"}
        assert "batch 1 of" in fired[0]["detail"] and "too few file descriptors" in fired[0]["detail"]
    finally:
        agent.close()


def test_input_that_ends_too_soon_is_said_in_one_line() -> None:
    done = subprocess.run(bootstrap(1000), input=b"x" * 10, capture_output=True, timeout=20)
    assert done.returncode == 3
    assert done.stderr == b"swarmlab agent: standard input ended before the agent had arrived\n"


def test_a_host_without_the_whole_standard_library_is_told_what_to_install(tmp_path: Path) -> None:
    """As on python3-minimal: a module of the standard library is not there."""
    blocker = tmp_path / "run.py"
    lines = ["import sys, runpy", "sys.modules['json'] = None", "runpy.run_path(sys.argv[1], run_name='__main__')"]
    blocker.write_text("\n".join(lines))
    archive = tmp_path / "agent.pyz"
    archive.write_bytes(agent_archive())
    done = subprocess.run(["python3", "-I", str(blocker), str(archive)], capture_output=True, timeout=20)
    assert (done.returncode, done.stderr) == (
        3,
        b"swarmlab agent: Python module json is missing: install python3 (not python3-minimal)\n",
    )


def test_a_killed_agent_leaves_nothing_in_the_namespaces(agent: AgentProcess, net: Net) -> None:
    agent.open([net.endpoint(0)])
    assert f":{PORT}" in net.inside(0, "ss", "-Hltn")
    agent.process.send_signal(signal.SIGKILL)
    agent.process.wait()
    assert net.inside(0, "ss", "-Hltun") == ""


def test_foreign_chatter_on_our_port_does_no_harm(agent: AgentProcess, net: Net) -> None:
    agent.open([net.endpoint(0), net.endpoint(1)])
    script = (
        "import socket\n"
        "for data in (b'', b'GET / HTTP/1.0\\r\\n\\r\\n', bytes(2000)):\n"
        f"    c = socket.create_connection(('{net.address(1)}', {PORT})); c.sendall(data); c.close()\n"
        f"    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.sendto(data, ('{net.address(1)}', {PORT}))\n"
    )
    net.inside(0, "python3", "-c", script)
    fired = agent.fire([(n, "t0", p, net.address(1), PORT) for n, p in enumerate(ALL)], 2.0)
    assert {e["outcome"] for e in fired.values()} == {"answered"}
