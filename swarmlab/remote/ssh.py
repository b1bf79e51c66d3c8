"""The typed wrapper around Fabric's Connection: one host, pinned keys, nothing of the user's own SSH configuration."""

from __future__ import annotations

import logging
import socket
from typing import Any, cast

import fabric
import paramiko

from swarmlab.model.host import Host
from swarmlab.remote.translate import Pinned, translated

TCP_PATIENCE = 10.0  # seconds for one attempt: TCP, banner and key exchange, authentication each
WINDOW = 16 * 1024 * 1024

# Paramiko logs tracebacks of what it raises as well; what is raised is told to the user in our words, once.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False


class FastTransport(paramiko.Transport):
    """Prefers the ciphers that cost Python one call per packet in place of two (AES-GCM needs no separate MAC)."""

    _usual: tuple[str, ...] = getattr(paramiko.Transport, "_preferred_ciphers", ())
    _preferred_ciphers = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", *_usual[:3])


def _transport(sock: socket.socket, **options: Any) -> paramiko.Transport:
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return FastTransport(sock, default_window_size=WINDOW, **options)


class Ssh:
    """One Fabric connection. Not open until `open`; may be opened again after it was lost."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._fabric = fabric.Connection(
            host.ssh.address,
            user=host.ssh.user,
            port=host.ssh.port,
            config=_config(),
            connect_kwargs=_connect_options(host),
        )

    def open(self) -> None:
        """One attempt; HostError when it fails."""
        with translated(self.host):
            client = paramiko.SSHClient()
            client.set_missing_host_key_policy(Pinned())
            client.load_host_keys(str(self.host.ssh.known_hosts))
            self._fabric.client = client
            self._fabric.open()

    @property
    def transport(self) -> paramiko.Transport | None:
        """The live transport, None when there is none."""
        transport = cast("paramiko.Transport | None", self._fabric.transport)
        return transport if transport is not None and transport.is_active() else None

    def close(self) -> None:
        """End the connection and its thread."""
        self._fabric.close()


def _config() -> Any:
    """Neither ~/.ssh/config nor ~/.fabric.yaml: what a lab's connection does must not depend on who runs it."""
    return fabric.Config(ssh_config=paramiko.SSHConfig(), lazy=True)


def _connect_options(host: Host) -> dict[str, object]:
    named = host.ssh.identity is not None
    return {
        "key_filename": [str(host.ssh.identity)] if named else None,
        "look_for_keys": not named,
        "allow_agent": not named,
        "compress": False,
        "timeout": TCP_PATIENCE,
        "banner_timeout": TCP_PATIENCE,
        "auth_timeout": TCP_PATIENCE,
        "transport_factory": _transport,
    }
