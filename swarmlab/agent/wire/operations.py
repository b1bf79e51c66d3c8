"""What is on the wire: the underlay captured while canaries pass, what the kernel was told about it, and forged
frames.
"""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from swarmlab.agent.kernel import netlink, rules, xfrm
from swarmlab.agent.loop import Loop
from swarmlab.agent.requests import BadRequest
from swarmlab.agent.wire import forge, requests
from swarmlab.agent.wire.packet_summary import Key, PacketSummary, everything_but_tcp
from swarmlab.agent.wire.ring import RETIRE, Ring
from swarmlab.agent.wire.watch import Watcher

_IDLE = 3 * RETIRE / 1000  # seconds without a block after which nothing can be left in the ring
_LAST = 5.0  # seconds for what is still in the ring once nothing more gets in
_BREATH = 0.05


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
    """The operations `wire_…`."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._port = 0
        self._recorder: Recorder | None = None
        self._watchers: dict[str, Watcher] = {}

    def operations(self) -> tuple[Callable[[Mapping[str, Any]], dict[str, object]], ...]:
        """All of them; each is called what it is named."""
        return self.wire_start, self.wire_send, self.wire_look, self.wire_inject, self.wire_stop, self.wire_state

    def wire_start(self, request: Mapping[str, Any]) -> dict[str, object]:
        """Capture the underlay, watch endpoints; what was under way before ends."""
        wanted = requests.start(request)
        self._end()
        self._port = wanted.port
        summary = PacketSummary(wanted.data_port, wanted.tag, wanted.canaries, wanted.pcap_bytes)
        error = ""
        try:
            self._recorder = Recorder(Ring(wanted.budget, everything_but_tcp()), summary)
            self._recorder.start()
        except (OSError, ValueError) as refused:
            error = f"the underlay cannot be captured: {refused}"
        for watch in wanted.watches:
            self._watchers[watch.id] = Watcher(watch, self._loop, wanted.port, wanted.tag, wanted.canaries)
        return {
            "op": "wire_start",
            "error": error,
            "ring_bytes": self._recorder.ring.size if self._recorder else 0,
            "interfaces": netlink.interfaces(),
            "endpoints": [
                {"id": w.watch.id, "error": w.error, "hardware": w.hardware} for w in self._watchers.values()
            ],
        }

    def wire_send(self, request: Mapping[str, Any]) -> dict[str, object]:
        """Datagrams from watched endpoints."""
        errors = []
        for entry in requests.sends(request):
            watcher = self._watchers.get(entry.source)
            unknown = f"no endpoint {entry.source!r} is watched here"
            errors.append(watcher.send(entry.address, self._port, entry.payload, entry.times) if watcher else unknown)
        return {"op": "wire_send", "errors": errors}

    def wire_look(self, _request: Mapping[str, Any]) -> dict[str, object]:
        """Which canaries were seen leaving, and which arrived, so far."""
        left: set[str] = set()
        if self._recorder is not None:
            with self._recorder.lock:
                left = {found.canary for found in self._recorder.summary.found.values() if found.key[1]}
        return {"op": "wire_look", "left": sorted(left), "arrived": self._arrived()}

    def _arrived(self) -> dict[str, dict[str, int]]:
        for watcher in self._watchers.values():
            watcher.take()
        return {id_: dict(watcher.arrived) for id_, watcher in self._watchers.items()}

    def wire_inject(self, request: Mapping[str, Any]) -> dict[str, object]:
        """Forged frames onto the underlay."""
        errors = []
        for forgery, times in requests.forgeries(request):
            try:
                forge.send(forgery, times, lambda: self._loop.turn(_BREATH))
                errors.append("")
            except OSError as error:
                errors.append(f"no forged frame could be sent: {error}")
        return {"op": "wire_inject", "errors": errors}

    def wire_stop(self, _request: Mapping[str, Any]) -> dict[str, object]:
        """End the capture; what it saw. Endpoints stay watched until the next `wire_start`."""
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            raise BadRequest("nothing is captured: send `wire_start` first")
        complete = recorder.end()
        recorder.ring.count()
        with recorder.lock:
            answer = _seen(recorder)
        if complete:
            recorder.ring.close()
        return {
            **answer,
            "complete": complete,
            "arrived": self._arrived(),
            "deaf": {i: w.drops for i, w in self._watchers.items() if w.drops},
        }

    def wire_state(self, request: Mapping[str, Any]) -> dict[str, object]:
        """What this kernel was told to do with these VNIs, and how often it did."""
        vnis, forms = requests.vnis(request), requests.forms(request)
        answer: dict[str, object] = {
            "op": "wire_state",
            "time": time.monotonic(),
            "refusals": xfrm.statistics(),
            "xfrm_error": "",
        }
        try:
            answer.update(states=xfrm.states(), policies=xfrm.policies())
        except OSError as error:
            answer.update(
                states=[], policies=[], xfrm_error=f"the kernel does not tell its IPsec associations: {error}"
            )
        return {**answer, **rules.read(vnis, forms)}

    def _end(self) -> None:
        if self._recorder is not None and self._recorder.end():
            self._recorder.ring.close()
        for watcher in self._watchers.values():
            watcher.close()
        self._recorder, self._watchers = None, {}


def _seen(recorder: Recorder) -> dict[str, object]:
    ring, summary = recorder.ring, recorder.summary
    names = dict(socket.if_nameindex())
    pcap = summary.pcap
    return {
        "op": "wire_stop",
        "packets": ring.packets,
        "drops": ring.drops,
        "uncounted": summary.uncounted,
        "counts": [{**_told(key, names), "packets": packets} for key, packets in summary.counts.items()],
        "canaries": [
            {**_told(s.key, names), "canary": s.canary, "packets": s.packets, "excerpt": s.excerpt}
            for s in summary.found.values()
        ],
        "film": base64.b64encode(pcap.data).decode("ascii") if pcap else "",
        "left_out_of_film": pcap.left_out if pcap else 0,
    }


def _told(key: Key, names: Mapping[int, str]) -> dict[str, object]:
    interface, outgoing, source, target, kind, number = key
    return {
        "interface": names.get(interface, str(interface)),
        "outgoing": outgoing,
        "from": _address(source),
        "to": _address(target),
        "kind": kind,
        "number": number,
    }


def _address(raw: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET6, raw) if len(raw) == 16 else socket.inet_ntoa(raw) if len(raw) == 4 else ""
