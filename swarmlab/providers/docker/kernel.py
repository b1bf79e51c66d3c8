"""What the kernel of an engine lacks. Container hosts share that kernel: it is asked, never guessed."""

from __future__ import annotations

import base64
import json
import os
import socket
import struct
import subprocess
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import docker
import docker.errors

from swarmlab.errors import ProviderError
from swarmlab.providers.docker.container import MODULES, has_modules
from swarmlab.providers.docker.local_engine import asked
from swarmlab.providers.images.recipe import LABEL

SOCKET = "/var/run/docker.sock"
PATIENCE = 20  # seconds
LISTENERS = ("dockerd", "systemd")  # on an engine's own socket: the engine, or what hands it the socket

# Runs where the kernel is to be asked, in a network namespace of its own. `lo` is brought up first: a program that may
# not do that is refused everything, which says nothing about the kernel.
OWN_NETWORK = """
import ctypes, fcntl, os, socket, struct, sys
if ctypes.CDLL(None).unshare(0x40000000 | (0x10000000 if os.geteuid() else 0)):
    sys.exit("a network namespace cannot be made there")
try:
    fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8914, struct.pack("16sh14x", b"lo", 1))
except OSError as error:
    sys.exit("networks cannot be configured there: %s" % error.strerror)
"""
# argv[1] is the agent, which knows the questions. It is loaded out of its archive by a name that no type checker sees
# here; a unit test does the same with the real archive.
QUESTIONS = """
import base64, json, os, sys, zlib
fd = os.memfd_create("agent")
os.write(fd, zlib.decompress(base64.b64decode(sys.argv[1])))
sys.path.insert(0, "/proc/self/fd/%d" % fd)
from swarmlab.agent.kernel.features import missing_features
"""
ASK = OWN_NETWORK + QUESTIONS + "print(json.dumps(missing_features()))\n"
PYTHON = ("-I", "-B", "-c", ASK)


@dataclass(frozen=True)
class Probed:
    """What a kernel lacks; None when it could not be asked, for the reason `why`."""

    missing_features: frozenset[str] | None
    why: str = ""


def identity(client: docker.DockerClient) -> str:
    """Names the engine and the boot of the kernel that its containers share."""
    with asked("describe itself"):
        info = client.info()
    boot = Path("/proc/sys/kernel/random/boot_id")
    return f"{info.get('ID')} {info.get('KernelVersion')} {boot.read_text().strip() if boot.exists() else ''}"


def probe(client: docker.DockerClient, agent: bytes) -> Probed:
    """Ask the engine's kernel: from a child process where it is ours, else from a container of a node image."""
    packed = pack(agent)
    if _same_kernel(client):
        found = _in_a_child(packed)
        if found.missing_features is not None:
            return found
    return _in_a_container(client, packed)


def pack(agent: bytes) -> str:
    """The agent's archive as an argument of the program."""
    return base64.b64encode(zlib.compress(agent, 9)).decode()


def _same_kernel(client: docker.DockerClient) -> bool:
    """The other end of the engine's socket is an engine among our processes: no virtual machine and no forwarded
    port.
    """
    path = os.environ.get("DOCKER_HOST", f"unix://{SOCKET}").removeprefix("unix://")
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(path)
            peer = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        listens = Path(f"/proc/{peer}/comm").read_text().strip()
        running = {_comm(process) for process in Path("/proc").glob("[0-9]*")}
    except (OSError, AttributeError):
        return False
    return listens in LISTENERS and "dockerd" in running and client.info().get("KernelVersion") == os.uname().release


def _comm(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:  # it has just ended
        return ""


def _in_a_child(packed: str) -> Probed:
    try:
        ran = subprocess.run(
            [sys.executable, *PYTHON, packed], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Probed(None, f"its kernel could not be asked: {error}")
    return _read(ran.stdout, ran.stderr)


def _in_a_container(client: docker.DockerClient, packed: str) -> Probed:
    try:
        with asked("ask its kernel"):
            images = client.images.list(filters={"label": f"{LABEL}=node"})
            if not images:
                return Probed(None, "known once a node image is built")
            return _read(_said(client, str(images[0].id), packed), "")
    except ProviderError as error:
        return Probed(None, error.message)


def _said(client: docker.DockerClient, image: str, packed: str) -> str:
    """What it prints. The engine itself removes the container as it ends, whatever happens to us."""
    body = {
        "Image": image,
        "Entrypoint": ["python3", *PYTHON, packed],
        "HostConfig": {
            "AutoRemove": True,
            "NetworkMode": "none",
            "CapAdd": ["NET_ADMIN", "SYS_ADMIN"],
            "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined", "label=disable"],
            "Binds": [f"{MODULES}:{MODULES}:ro"] if has_modules(client.api.base_url) else [],
        },
    }
    made = client.api.create_container_from_config(body)["Id"]  # type: ignore[no-untyped-call]
    try:
        output = client.api.attach(made, stdout=True, stderr=True, stream=True)
        client.api.start(made)
    except docker.errors.APIError:
        client.api.remove_container(made, force=True)
        raise
    return b"".join(output).decode("utf-8", "replace")


def _read(said: str, complaint: str) -> Probed:
    try:
        return Probed(frozenset(map(str, json.loads(said))))
    except (ValueError, TypeError):
        last = (complaint or said).strip().splitlines()[-1:] or ["it said nothing"]
        return Probed(None, f"its kernel could not be asked: {last[0][:200]}")
