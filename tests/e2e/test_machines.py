"""three-tier on machines, with an encrypted back network; and `kill -9` of `up` at different moments."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Lab
from tests.e2e.driver import ROOT, SWARMLAB, User, kill, processes

pytestmark = pytest.mark.vm
# Prints, for ten seconds, what crosses the underlay: protocol numbers, and VXLAN's network numbers.
CAPTURE = """
import socket, time
heard = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
heard.bind(("eth0", 0))
heard.settimeout(0.2)
end = time.monotonic() + 20
print("listening", flush=True)
while time.monotonic() < end:
    try: frame = heard.recv(65535)
    except TimeoutError: continue
    inner = frame[14 + (frame[14] & 15) * 4:]
    vxlan = frame[23] == 17 and inner[2:4] == b"\\x12\\xb5"
    if vxlan: print("vxlan", int.from_bytes(inner[12:15], "big"))
    elif frame[23] == 50: print("esp", inner[:4].hex())
"""


def test_the_encrypted_network_is_esp_on_the_wire_and_nothing_else(machines: User, encrypted_lab: Lab) -> None:
    lab = encrypted_lab.name
    hidden, plain = (_vni(machines, lab, network) for network in ("back-net", "front-net"))
    with subprocess.Popen(
        [*SWARMLAB, "ssh", lab, "host3", "--", "python3", "-c", CAPTURE], env=machines.environment, cwd=ROOT, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
    ) as capture:  # fmt: skip
        assert capture.stdout is not None
        assert capture.stdout.readline() == "listening\n"
        _from_api(machines, lab, "host2", "ping -c 3 -W 2 db")  # which is on host3
        _from_api(machines, lab, "host3", "ping -c 3 -W 2 front")  # which is not
        seen = set(capture.stdout.read().split("\n"))
    states = machines.on(lab, "host3", "ip", "xfrm", "state")
    spis = {line.split()[1] for line in seen if line.startswith("esp")}
    assert spis and all(f"spi 0x{spi}" in states or f"spi 0x{spi.lstrip('0')}" in states for spi in spis)
    assert f"vxlan {plain}" in seen, "the control: this capture would have seen cleartext"
    assert f"vxlan {hidden}" not in seen


def _vni(machines: User, lab: str, network: str) -> str:
    options = machines.on(
        lab, "host1", "docker", "network", "inspect", f"{lab}_{network}", "--format", "{{json .Options}}"
    )
    return options.split('vxlanid_list":"')[1].split('"')[0]


def _from_api(machines: User, lab: str, host: str, command: str) -> None:
    machines.on(lab, host, "sh", "-c", f"docker exec $(docker ps --quiet --filter name=_api) {command}")


MOMENTS: dict[str, Callable[[User], bool]] = {
    "its state is written": lambda user: (user.home / "labs" / "vm-killed" / "lab.json").exists(),
    "a machine's disk exists": lambda user: bool(list((user.home / "labs" / "vm-killed" / "vm").glob("*.qcow2"))),
    "a machine runs": lambda user: bool(processes("vm-killed")),
    "its hosts are ready": lambda user: (user.home / "labs" / "vm-killed" / "vm" / "host1.json").exists(),
    "its hosts are remembered": lambda user: "ssh" in _text(user.home / "labs" / "vm-killed" / "lab.json"),
}


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_when(moment: str, machines: User) -> None:
    process = machines.start("up", "three-tier", "--provider", "qemu", "--name", "vm-killed")
    pause = threading.Event()
    try:
        while not MOMENTS[moment](machines):
            assert process.poll() is None, process.communicate()[0]
            pause.wait(0.01)
    finally:
        kill(process)
    assert machines.run("down", "vm-killed").status == 0
    assert not processes("vm-killed")
    assert not (machines.home / "labs" / "vm-killed").exists()
