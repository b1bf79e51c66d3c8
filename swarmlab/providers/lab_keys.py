"""The keys of a lab in its state directory: one pair for us, one per host, and the known_hosts that pins them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from swarmlab.remote import make_keypair
from swarmlab.remote.keys import write_private

HOST_KEY = "etc/ssh/ssh_host_ed25519_key"


@dataclass(frozen=True)
class LabKeys:
    """`hosts` maps each host to its private key's file; `fresh` are the hosts that cannot have these keys yet."""

    directory: Path
    identity: Path
    hosts: Mapping[str, Path]
    fresh: frozenset[str]

    @property
    def known_hosts(self) -> Path:
        """The file that pins the hosts' keys."""
        return self.directory / "known_hosts"

    def pin(self, ports: Mapping[str, int]) -> None:
        """Write known_hosts anew: the ports of hosts change when they are started again, their keys do not."""
        lines = [f"[127.0.0.1]:{port} {_public(self.hosts[host])}\n" for host, port in ports.items()]
        write_private(self.known_hosts, "".join(lines))

    def archive(self, host: str) -> bytes:
        """What goes into the host before its sshd runs: its own key and our public one. Never by argv or
        environment.
        """
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            _add(tar, HOST_KEY, self.hosts[host].read_bytes())
            folder = tarfile.TarInfo("root/.ssh")
            folder.type, folder.mode = tarfile.DIRTYPE, 0o700
            tar.addfile(folder)
            _add(tar, "root/.ssh/authorized_keys", (_public(self.identity) + "\n").encode())
        return out.getvalue()


def lab_keys(directory: Path, hosts: list[str]) -> LabKeys:
    """The lab's keys, made where they are missing."""
    folder = directory / "ssh"
    identity = folder / "id_ed25519"
    new_identity = _ensure(folder, identity.name)
    made = {host: _ensure(folder, f"{host}_key") for host in hosts}
    fresh = frozenset(host for host in hosts if made[host] or new_identity)
    return LabKeys(folder, identity, {host: folder / f"{host}_key" for host in hosts}, fresh)


def _ensure(folder: Path, name: str) -> bool:
    """Whether the pair had to be made. The public half is written last, so that it vouches for the whole."""
    if (folder / f"{name}.pub").exists() and (folder / name).exists():
        return False
    make_keypair(folder, name)
    return True


def _public(private: Path) -> str:
    return private.with_name(f"{private.name}.pub").read_text().strip()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.size = 0o600, len(data)
    tar.addfile(entry, io.BytesIO(data))
