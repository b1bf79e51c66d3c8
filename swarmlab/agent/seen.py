"""The target's side: what its capture saw, and whether its listeners are alive now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from swarmlab.agent.endpoint import Endpoint
from swarmlab.agent.fire import Battery
from swarmlab.agent.ledger import key_of
from swarmlab.agent.probe import ProbeShot
from swarmlab.agent.requests import SeenRequest
from swarmlab.agent.tcp import TcpShot
from swarmlab.agent.udp import UdpShot
from swarmlab.agent.volley import Volley

SELF_CHECK = 0xFFFFFFFF  # the probe id of an agent that talks to its own listener
_PATIENCE = 1.0  # seconds that a listener gets to answer from within its own namespace


def seen(battery: Battery, asked: Sequence[SeenRequest]) -> dict[str, object]:
    """After this, a new round begins: packets seen so far do not count for the next volley."""
    for endpoint in battery.endpoints.values():
        if endpoint.capture is not None:
            endpoint.capture.drain()
    answer: dict[str, object] = {
        "op": "seen",
        "probes": [_lookup(battery.endpoints.get(request.target), request) for request in asked],
        "listeners": listeners(battery, sorted({request.target for request in asked})),
    }
    for endpoint in battery.endpoints.values():
        if endpoint.capture is not None:
            endpoint.capture.ledger.round += 1
    return answer


def _lookup(endpoint: Endpoint | None, request: SeenRequest) -> dict[str, object]:
    if endpoint is None or endpoint.capture is None:
        return {"id": request.id, "seen": None, "answer_left": None, "lost_records": 0}
    capture = endpoint.capture
    key = key_of(request.protocol, request.id, request.sport, request.port)
    return {
        "id": request.id,
        "seen": capture.found(capture.ledger.seen, key),
        "answer_left": _either(capture.found(capture.ledger.answered, one) for one in _answer_keys(request)),
        "lost_records": capture.lost,
    }


def _answer_keys(request: SeenRequest) -> list[tuple[int, int, int]]:
    """An application's UDP answer is known by its ports."""
    key = key_of(request.protocol, request.id, request.sport, request.port)
    return [key, (17, request.sport, request.port)] if request.protocol == "udp" and request.sport else [key]


def _either(found: Iterable[bool | None]) -> bool | None:
    values = list(found)
    return True if True in values else (None if None in values else False)


def listeners(battery: Battery, targets: Sequence[str]) -> dict[str, str]:
    """Each target's listeners: "" when TCP and UDP both answer from within, else why they do not."""
    found = {target: _gone(battery.endpoints, target) for target in targets}
    alive = {target: battery.endpoints[target] for target in targets if not found[target]}
    found.update(check(battery, dict.fromkeys(alive, "127.0.0.1")))
    # Without loopback, or with a firewall on it, one's own address may still do.
    own = {target: _own_address(alive[target]) for target in alive if found[target]}
    found.update(check(battery, {target: address for target, address in own.items() if address}))
    return found


def check(battery: Battery, addresses: Mapping[str, str]) -> dict[str, str]:
    """Ask each endpoint's own listeners at the given address of its own."""
    volley = Volley(battery.loop, battery.run, battery.port, _PATIENCE, battery.volleys)
    shots = [shot for target, address in addresses.items() for shot in _pair(battery, volley, target, address)]
    battery.attend(volley)
    found: dict[str, str] = dict.fromkeys(addresses, "")
    for shot in shots:
        if shot.responder != shot.endpoint.spec.id and not found[shot.endpoint.spec.id]:
            found[shot.endpoint.spec.id] = f"{shot.protocol} listener: {shot.outcome} {shot.detail}".strip()
    return found


def _pair(battery: Battery, volley: Volley, target: str, address: str) -> list[ProbeShot]:
    endpoint = battery.endpoints[target]
    shots: list[ProbeShot] = [kind(volley, endpoint, SELF_CHECK, address, battery.port) for kind in (TcpShot, UdpShot)]
    if endpoint.namespace is not None:
        with endpoint.namespace.entered():
            for shot in shots:
                battery.start(volley, shot)
    return shots


def _gone(endpoints: Mapping[str, Endpoint], target: str) -> str:
    endpoint = endpoints.get(target)
    return endpoint.gone() if endpoint is not None else f"no endpoint {target!r} was opened here"


def _own_address(endpoint: Endpoint) -> str:
    addresses = (text.split("/")[0] for texts in endpoint.interfaces.values() for text in texts)
    return next((address for address in addresses if ":" not in address), "")
