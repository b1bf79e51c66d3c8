"""Which canaries arrive in a task's own namespace: what a capture on the underlay cannot tell."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping

from swarmlab.agent.kernel import bpf, constants, netlink
from swarmlab.agent.kernel.namespace import Gone, Namespace, open_namespace
from swarmlab.agent.loop import IN, Loop
from swarmlab.agent.protocol.bounds import TOKEN
from swarmlab.agent.protocol.probing import NamespaceSpec
from swarmlab.agent.protocol.wire import DatagramSpec, WatchResult, WireStart
from swarmlab.agent.wire import forge

_BUFFER = 256 * 1024
_AT_ONCE = 64


class Watcher:
    """One namespace, watched and sent from. `error` is "" while it can be used; `names` are the canaries' by text."""

    def __init__(self, spec: NamespaceSpec, loop: Loop, request: WireStart, names: Mapping[str, str]) -> None:
        self.spec, self.error = spec, ""
        self.namespace: Namespace | None = None
        self.hardware: dict[str, str] = {}
        self.arrived: dict[str, int] = {}
        self.drops = 0
        self._loop, self._tag, self._port, self._names = loop, request.tag.encode(), request.port, names
        self._socket: socket.socket | None = None
        try:
            self.namespace = open_namespace(spec.pid, spec.container, spec.path)
            with self.namespace.entered():
                self._open()
        except Gone as reason:
            self.error = f"gone: {reason}"
        except OSError as error:
            self.error = f"failed: {error}"

    def _open(self) -> None:
        names = forge.hardware()
        self.hardware = {
            address.split("/")[0]: names[name]
            for name, addresses in netlink.interfaces().items()
            for address in addresses
            if name in names and ":" not in address
        }
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, 0)
        self._socket = sock
        constants.force_buffer(sock, _BUFFER)
        bpf.attach(sock, [self._port])
        constants.bind_all_interfaces(sock.fileno())
        self._loop.add(sock.fileno(), IN, self._ready)

    def _ready(self, _events: int) -> None:
        for _ in range(_AT_ONCE):
            try:
                packet, (_interface, _ethertype, kind, _type, _address) = self._socket.recvfrom(bpf.KEEP)  # type: ignore[union-attr]
            except OSError:
                return
            place = packet.find(self._tag)
            if place < 0 or kind == constants.PACKET_OUTGOING:
                continue
            name = self._names.get(packet[place : place + len(self._tag) + TOKEN].decode("ascii", "replace"))
            if name is not None:
                self.arrived[name] = self.arrived.get(name, 0) + 1

    def take(self) -> None:
        """Read all that has come in, and the kernel's drop counter."""
        if self._socket is not None:
            self._ready(0)
            self.drops += struct.unpack(
                "II", self._socket.getsockopt(constants.SOL_PACKET, constants.PACKET_STATISTICS, 8)
            )[1]

    def result(self) -> WatchResult:
        """Whether it is watched."""
        return WatchResult(self.spec.id, self.error, self.hardware)

    def send(self, datagram: DatagramSpec) -> str:
        """From this namespace; "" or why nothing could be sent."""
        if self.error or self.namespace is None:
            return self.error
        try:
            with (
                self.namespace.entered(),
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock,
            ):
                for _ in range(datagram.times):
                    sock.sendto(datagram.payload.encode(), (datagram.address, self._port))
        except OSError as error:
            return f"the sender's kernel refused: {error.strerror}"
        return ""

    def close(self) -> None:
        """Let go of the namespace."""
        if self._socket is not None:
            self._loop.forget(self._socket.fileno())
            self._socket.close()
        if self.namespace is not None:
            self.namespace.close()
        self._socket = self.namespace = None
