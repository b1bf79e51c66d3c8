"""Published ports and virtual addresses on kernels with IPVS: proven, broken on purpose, left without evidence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Lab
from tests.e2e.driver import ROOT, User, checks, processes

pytestmark = pytest.mark.vm
NAME = "vm-ports"
HOSTS = ("host1", "host2", "host3")
# On 80 an application listens (busybox httpd); on 5432 and 53 nothing does, so the agent does.
MESH = ("tcp:8080", "tcp:8432", "udp:8053")
PORT = "publish:outside->"  # how ids of published ports begin
CHANGES = {  # of the shipped scenario: host3 has no task, host1 and host2 have one of web each
    'ports: ["8080:80"]': 'ports: ["8080:80", "8432:5432", "8053:53/udp"]',
    "deploy: {replicas: 2}": (
        "deploy: {replicas: 2, placement: {constraints: [node.hostname!=host3], max_replicas_per_node: 1}}"
    ),
}
INGRESS = "/run/docker/netns/ingress_sbox"
# Gives one real server of the virtual service that has it another weight: 0 takes it out.
IPVS = """
import re, socket, struct, sys
def attribute(kind, data): return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)
def word(kind, value): return attribute(kind, struct.pack("=I", value))
def ask(family, command, body, flags):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16) as kernel:
        kernel.send(struct.pack("=IHHIIBBH", 20 + len(body), family, flags, 1, 0, command, 1, 0) + body)
        return kernel.recv(65536)
told = ask(16, 3, attribute(2, b"IPVS\\0"), 1)
family = struct.unpack("=H", re.search(rb"\\x06\\x00\\x01\\x00(..)", told, re.S)[1])[0]
address, weight = socket.inet_aton(sys.argv[1]), int(sys.argv[2])
services = open("/proc/net/ip_vs").read().split("FWM  ")[1:]
mark = next(int(service[:8], 16) for service in services if address.hex().upper() in service)
server = attribute(1, address + bytes(12)) + attribute(2, bytes(2))
server += word(3, 0) + word(4, weight) + word(5, 0) + word(6, 0)
v4 = struct.pack("=H", socket.AF_INET)
told = ask(family, 6, attribute(1, attribute(1, v4) + word(5, mark)) + attribute(2, server + attribute(11, v4)), 5)
sys.exit(-struct.unpack_from("=i", told, 16)[0])
"""


@dataclass(frozen=True)
class Meshed(Lab):
    """With the report of the `up` that made it."""

    first: dict[str, Any]


@pytest.fixture(scope="module")
def meshed(machines: User, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meshed]:
    text = (ROOT / "scenarios/ingress/compose.yaml").read_text()
    for old, new in CHANGES.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file: Path = tmp_path_factory.mktemp("meshed") / "compose.yaml"
    file.write_text(text)
    report = file.with_name("report.json")
    ended = machines.run("up", str(file), "--provider", "qemu", "--name", NAME, "--json", str(report), timeout=1200)
    assert ended.status == 0, ended
    yield Meshed(machines, NAME, json.loads(report.read_text()))
    assert machines.run("down", NAME).status == 0
    assert not processes(NAME), "the machine outside among them"


def by_verdict(report: dict[str, Any], verdict: str) -> set[str]:
    return {c["id"] for c in report["checks"] if c["verdict"] == verdict}


def mesh(host: str, *, also: bool) -> set[str]:
    """The checks of web's ports at a host that tell of balance; `also` those of one connection."""
    ports = {f"{PORT}web@{host}/{port}" for port in MESH}
    return {f"{one}/balance" for one in ports} | (ports if also else set())


def address(lab: Lab, host: str, network: str) -> str:
    """Of the task of web that runs there."""
    wanted = f'{{{{(index .NetworkSettings.Networks "{network}").IPAddress}}}}'
    return lab.on(host, "sh", "-c", f"docker inspect --format '{wanted}' $(docker ps -q --filter name=_web)")


def balancer(lab: Lab, host: str) -> str:
    """The namespace in which the overlay's virtual addresses are kept on a host."""
    network = lab.on("host1", "docker", "network", "inspect", f"{lab.name}_public", "--format", "{{.Id}}")
    return f"/run/docker/netns/lb_{network[:9]}"


def test_every_host_answers_for_the_mesh_one_for_host_mode_and_none_for_the_rest(meshed: Meshed) -> None:
    report = meshed.first
    assert ({c["verdict"] for c in report["checks"]}, report["findings"]) == ({"pass"}, [])
    published = {c["id"]: c for c in checks(report, kind="publish")}
    opened = {i for i, c in published.items() if c["expected"] == "allow"}
    every = {f"{PORT}web@{host}/{port}{what}" for host in HOSTS for port in MESH for what in ("", "/balance")}
    assert opened == every | {f"{PORT}metrics@host2/tcp:9100"}
    inside = ("metrics@{}/tcp:80", "web@{}/tcp:5432", "web@{}/udp:53", "anybody@{}/tcp:unused")
    assert set(published) - opened == {PORT + one.format(host) for host in HOSTS for one in inside} | {
        f"{PORT}metrics@host1/tcp:9100",
        f"{PORT}metrics@host3/tcp:9100",
    }
    for host in HOSTS:
        by = published[f"{PORT}web@{host}/tcp:8080/balance"]["evidence"]["answers_by"]
        assert set(by) == {"web.1", "web.2"} and min(by.values()) >= 1
        assert published[f"{PORT}web@{host}/tcp:8432"]["evidence"]["responder"] in ("web.1", "web.2")
    assert published[f"{PORT}metrics@host2/tcp:9100"]["evidence"]["came_through_to"] == ["metrics.1"]


def test_the_name_gives_the_virtual_address_and_that_leads_to_every_task(meshed: Meshed) -> None:
    report = meshed.first
    engines = meshed.on(
        "host1", "docker", "service", "inspect", f"{meshed.name}_web", "--format", "{{json .Endpoint.VirtualIPs}}"
    )
    asked = {c["evidence"]["name"]: c["evidence"] for c in checks(report, kind="name", from_="metrics.1")}
    (vip,) = asked["web"]["addresses"]
    assert f'"{vip}/' in engines
    tasks = {address(meshed, host, f"{meshed.name}_public") for host in ("host1", "host2")}
    assert {*asked["tasks.web"]["addresses"]} == tasks and vip not in tasks
    shown = [c["evidence"] for c in checks(report, kind="vip", from_="metrics.1")]
    (balance,) = (evidence for evidence in shown if "answers_by" in evidence)
    assert balance["address"] == vip and min(balance["answers_by"].values()) >= 1 and len(balance["answers_by"]) == 2


def test_the_machine_outside_runs_no_engine_and_is_in_no_swarm(meshed: Lab) -> None:
    (status,) = json.loads(meshed.user.run("status", meshed.name, "--format", "json").out)
    assert status["state"] == "running"
    assert [(h["name"], h["state"], bool(h["engine"])) for h in status["hosts"]] == [
        *((host, "ready", True) for host in HOSTS), ("outside", "ready", False),
    ]  # fmt: skip
    assert meshed.on("outside", "sh", "-c", "pgrep -x dockerd; pgrep -x containerd; hostname") == "outside"
    nodes = meshed.on("host1", "docker", "node", "ls", "--format", "{{.Hostname}}")
    assert sorted(nodes.splitlines()) == list(HOSTS)


def test_a_task_that_one_hosts_mesh_and_anothers_virtual_address_forget_is_missed_there_alone(meshed: Lab) -> None:
    """Everything still answers; only who never does tells."""
    behind_the_port, behind_the_name = (
        address(meshed, "host1", "ingress"),
        address(meshed, "host1", f"{meshed.name}_public"),
    )
    with (
        meshed.user.broken(meshed.name, "host3", *_weights(INGRESS, behind_the_port)),
        meshed.user.broken(meshed.name, "host2", *_weights(balancer(meshed, "host2"), behind_the_name)),
    ):
        status, report = meshed.user.report("verify", meshed.name)
    assert status == 1
    there = {c["from"] for c in checks(report, kind="vip") if c["from_host"] == "host2"}
    assert "metrics.1" in there
    assert by_verdict(report, "fail") == mesh("host3", also=False) | {f"vip:{one}->web@public/balance" for one in there}
    assert by_verdict(report, "inconclusive") == set()
    assert {(f["id"], tuple(f["hosts"])) for f in report["findings"]} == {
        ("mesh-unbalanced:8080/tcp", ("host3",)),
        ("mesh-unbalanced:8432/tcp", ("host3",)),
        ("mesh-unbalanced:8053/udp", ("host3",)),
        ("vip-unbalanced:web@public", ("host2",)),
    }


def _weights(namespace: str, server: str) -> tuple[list[str], list[str]]:
    out, back = (["nsenter", f"--net={namespace}", "python3", "-c", IPVS, server, weight] for weight in ("0", "1"))
    return out, back


def test_a_host_without_the_rules_that_lead_into_the_mesh_is_red_alone(meshed: Lab) -> None:
    """The engine's own listener still accepts connections there: that is no answer."""
    with meshed.user.broken(meshed.name, "host3", *_without(meshed, "nat", "DOCKER-INGRESS")):
        status, report = meshed.user.report("verify", meshed.name)
    assert status == 1
    assert by_verdict(report, "fail") == mesh("host3", also=True)
    assert by_verdict(report, "inconclusive") == set()
    accepted = next(c for c in report["checks"] if c["id"] == "publish:outside->web@host3/tcp:8080")
    assert (
        accepted["evidence"]["outcome"] == "answered" and "said nothing, and no task saw any" in accepted["explanation"]
    )
    assert {tuple(f["hosts"]) for f in report["findings"]} == {("host3",)}


def test_a_virtual_address_whose_packets_one_host_does_not_mark_is_red_there_alone(meshed: Lab) -> None:
    with meshed.user.broken(meshed.name, "host2", *_without(meshed, "mangle", "", balancer(meshed, "host2"))):
        status, report = meshed.user.report("verify", meshed.name)
    assert status == 1
    there = {c["id"] for c in checks(report, kind="vip") if c["from_host"] == "host2"}
    assert len(there) == 6, "three checks of metrics.1, three of the task of web"
    assert by_verdict(report, "fail") == there
    assert by_verdict(report, "inconclusive") == set()


def _without(lab: Lab, table: str, chain: str, namespace: str = "") -> tuple[list[str], list[str]]:
    """Empty a chain (all of a table), and put the table back as it was."""
    inside, kept = (f"nsenter --net={namespace} " if namespace else ""), f"/run/{table}.kept"
    out = f"{inside}iptables-save -t {table} >{kept} && {inside}iptables -t {table} -F {chain}"
    return ["sh", "-c", out], ["sh", "-c", f"{inside}iptables-restore {kept}"]


def test_a_paused_task_accepts_connections_and_proves_nothing(meshed: Lab) -> None:
    container = meshed.on("host1", "docker", "ps", "--quiet", "--filter", "name=_web")
    with meshed.user.broken(meshed.name, "host1", ["docker", "pause", container], ["docker", "unpause", container]):
        status, report = meshed.user.report("verify", meshed.name)
    assert status == 4
    assert by_verdict(report, "fail") == set()
    assert {f"publish:outside->web@{host}/tcp:8080/balance" for host in HOSTS} <= by_verdict(report, "inconclusive")
