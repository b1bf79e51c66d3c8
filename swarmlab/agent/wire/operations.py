"""The operations `wire_…`: the underlay captured while canaries pass, forged frames, what the kernel was told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

from swarmlab.agent.kernel import netlink, rules, xfrm
from swarmlab.agent.loop import Loop
from swarmlab.agent.protocol.message import Refused, Request
from swarmlab.agent.protocol.wire import (
    CanaryRead,
    PacketCount,
    SentAnswer,
    WireInject,
    WireLook,
    WireLookAnswer,
    WireSend,
    WireStart,
    WireStartAnswer,
    WireState,
    WireStateAnswer,
    WireStop,
    WireStopAnswer,
)
from swarmlab.agent.wire import forge
from swarmlab.agent.wire.packet_summary import Key, PacketSummary, everything_but_tcp
from swarmlab.agent.wire.ring import RETIRE, Ring
from swarmlab.agent.wire.watch import Watcher

_IDLE = 3 * RETIRE / 1000  # seconds without a block after which nothing can be left in the ring
_LAST = 5.0  # seconds for what is still in the ring once nothing more gets in
_MOMENT = 0.05  # seconds between two looks for a neighbour's hardware address


class Recorder(threading.Thread):
    """Empties the ring beside everything else that the agent does."""

    def __init__(self, ring: Ring, summary: PacketSummary) -> None:
        super().__init__(daemon=True)
        self.ring, self.summary = ring, summary
        self.lock = threading.Lock()
        self._ending = threading.Event()

    def run(self) -> None:
        """Until told to end and nothing is left."""
        while self.ring.wait(_IDLE) or not self._ending.is_set():
            for block in self.ring.blocks():
                with self.lock:
                    self.summary.take(*block)

    def end(self) -> bool:
        """False when it did not get through all that was captured."""
        self.ring.stop()
        self._ending.set()
        self.join(_LAST)
        return not self.is_alive()


class Wire:
    """The capture under way, and the endpoints that are watched."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._recorder: Recorder | None = None
        self._watchers: dict[str, Watcher] = {}

    def operations(self) -> dict[type[Request[Any]], Callable[[Any], object]]:
        """Which of them answers which request."""
        return {
            WireStart: self.start,
            WireSend: self.send,
            WireLook: self.look,
            WireInject: self.inject,
            WireStop: self.stop,
            WireState: kernel_state,
        }

    def start(self, request: WireStart) -> WireStartAnswer:
        """Capture the underlay, watch endpoints; what was under way before ends."""
        self._end()
        names = {text: name for name, text in request.canaries.items()}
        summary = PacketSummary(request.data_port, request.tag, names, request.pcap_bytes)
        error = ""
        try:
            self._recorder = Recorder(Ring(request.budget, everything_but_tcp()), summary)
            self._recorder.start()
        except (OSError, ValueError) as refused:
            error = f"the underlay cannot be captured: {refused}"
        self._watchers = {spec.id: Watcher(spec, self._loop, request, names) for spec in request.endpoints}
        return WireStartAnswer(
            error,
            self._recorder.ring.size if self._recorder else 0,
            netlink.interfaces(),
            tuple(watcher.result() for watcher in self._watchers.values()),
        )

    def send(self, request: WireSend) -> SentAnswer:
        """Datagrams from watched endpoints."""
        errors = []
        for datagram in request.datagrams:
            watcher = self._watchers.get(datagram.source)
            unknown = f"no endpoint {datagram.source!r} is watched here"
            errors.append(watcher.send(datagram) if watcher else unknown)
        return SentAnswer(tuple(errors))

    def look(self, _request: WireLook) -> WireLookAnswer:
        """Which canaries were seen leaving, and which arrived, so far."""
        left: set[str] = set()
        if self._recorder is not None:
            with self._recorder.lock:
                left = {found.canary for found in self._recorder.summary.found.values() if found.key[1]}
        return WireLookAnswer(tuple(sorted(left)), self._arrived())

    def _arrived(self) -> dict[str, dict[str, int]]:
        for watcher in self._watchers.values():
            watcher.take()
        return {id_: dict(watcher.arrived) for id_, watcher in self._watchers.items()}

    def inject(self, request: WireInject) -> SentAnswer:
        """Forged frames onto the underlay."""
        errors = []
        for frame in request.frames:
            try:
                forge.send(frame, lambda: self._loop.turn(_MOMENT))
                errors.append("")
            except OSError as error:
                errors.append(f"no forged frame could be sent: {error}")
        return SentAnswer(tuple(errors))

    def stop(self, _request: WireStop) -> WireStopAnswer:
        """End the capture; what it saw. Endpoints stay watched until the next `wire_start`."""
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            raise Refused("nothing is captured: send `wire_start` first")
        complete = recorder.end()
        recorder.ring.count()
        with recorder.lock:
            answer = self._captured(recorder, complete)
        if complete:
            recorder.ring.close()
        return answer

    def _captured(self, recorder: Recorder, complete: bool) -> WireStopAnswer:
        ring, summary = recorder.ring, recorder.summary
        names = dict(socket.if_nameindex())
        return WireStopAnswer(
            ring.packets,
            ring.drops,
            summary.uncounted,
            complete,
            tuple(_counted(key, packets, names) for key, packets in summary.counts.items()),
            tuple(CanaryRead(s.canary, _counted(s.key, s.packets, names), s.excerpt) for s in summary.found.values()),
            self._arrived(),
            {id_: watcher.drops for id_, watcher in self._watchers.items() if watcher.drops},
            bytes(summary.pcap.data) if summary.pcap else b"",
            summary.pcap.left_out if summary.pcap else 0,
        )

    def _end(self) -> None:
        if self._recorder is not None and self._recorder.end():
            self._recorder.ring.close()
        for watcher in self._watchers.values():
            watcher.close()
        self._recorder, self._watchers = None, {}


def kernel_state(request: WireState) -> WireStateAnswer:
    """What this kernel was told to do with these VNIs, and how often it did."""
    listed = rules.read(request.vnis, request.forms)
    try:
        return WireStateAnswer(tuple(xfrm.states()), tuple(xfrm.policies()), "", *listed)
    except OSError as error:
        return WireStateAnswer((), (), f"the kernel does not tell its IPsec associations: {error}", *listed)


def _counted(key: Key, packets: int, names: Mapping[int, str]) -> PacketCount:
    interface, outgoing, source, target, kind, number = key
    return PacketCount(
        names.get(interface, str(interface)), outgoing, _address(source), _address(target), kind, number, packets
    )


def _address(raw: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET6, raw) if len(raw) == 16 else socket.inet_ntoa(raw) if len(raw) == 4 else ""
