"""Agents' answers about the wire as values. What agents say is untrusted: anything odd is left out, and absence proves
nothing then.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from swarmlab.model.wire import Association, CanaryHit, Capture, Count, KernelState, Policy, Rule
from swarmlab.probes.session.link import Answer

_MOST_TEXT = 400
_NEEDED = {
    "packets": int,
    "drops": int,
    "uncounted": int,
    "counts": list,
    "canaries": list,
}  # without one of them, nothing is whole


def capture(answer: Answer) -> Capture:
    """A `wire_stop`. An entry that cannot be understood counts as unseen."""
    counts = [_count(e) for e in _entries(answer, "counts")]
    canaries_read = [_sighting(e) for e in _entries(answer, "canaries")]
    odd = counts.count(None) + canaries_read.count(None)
    return Capture(
        "",
        number(answer, "packets"),
        number(answer, "drops") + number(answer, "uncounted") + odd,
        answer.get("complete") is True and all(isinstance(answer.get(key), kind) for key, kind in _NEEDED.items()),
        tuple(c for c in counts if c is not None),
        tuple(s for s in canaries_read if s is not None),
    )


def _count(entry: Mapping[str, Any]) -> Count | None:
    if not isinstance(entry.get("outgoing"), bool) or not isinstance(entry.get("kind"), str):
        return None
    return Count(
        text(entry, "interface"), entry["outgoing"], text(entry, "from"), text(entry, "to"), entry["kind"],
        number(entry, "number"), number(entry, "packets"),
    )  # fmt: skip


def _sighting(entry: Mapping[str, Any]) -> CanaryHit | None:
    where = _count(entry)
    return CanaryHit(text(entry, "canary"), where, text(entry, "excerpt")) if where and entry.get("canary") else None


def kernel_state(answer: Answer) -> KernelState:
    """A `wire_state`."""
    return KernelState(
        tuple(Association(text(e, "src"), text(e, "dst"), number(e, "spi"), number(e, "bytes")) for e in _entries(answer, "states")),
        tuple(
            Policy(text(e, "src"), text(e, "dst"), number(e, "dport"), text(e, "direction"), number(e, "mark"), number(e, "spi"))
            for e in _entries(answer, "policies")
        ),
        tuple(
            Rule(
                text(e, "form"), text(e, "table"), text(e, "chain"), number(e, "place"), number(e, "vni"), text(e, "target"),
                number(e, "mark"), number(e, "dport"), number(e, "packets"),
            )
            for e in _entries(answer, "rules")
        ),
        tuple(str(form)[:20] for form in _list(answer, "forms")),
        tuple(str(error)[:_MOST_TEXT] for error in [*_list(answer, "errors"), answer.get("xfrm_error")] if error),
    )  # fmt: skip


def pcap(answer: Answer) -> bytes:
    """The pcap file; b"" when there is none."""
    try:
        return base64.b64decode(str(answer.get("film") or ""), validate=True)
    except binascii.Error:
        return b""


def arrived(answer: Answer) -> dict[str, set[str]]:
    """Endpoint -> names of the canaries that came to it."""
    told = answer.get("arrived")
    return (
        {str(id_): set(map(str, names)) for id_, names in told.items() if isinstance(names, dict)}
        if isinstance(told, dict)
        else {}
    )


def number(entry: Mapping[str, Any], key: str) -> int:
    """A whole number; 0 for anything else."""
    value = entry.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def text(entry: Mapping[str, Any], key: str) -> str:
    """A short text; "" for anything else."""
    value = entry.get(key)
    return value[:_MOST_TEXT] if isinstance(value, str) else ""


def _list(answer: Answer, key: str) -> Iterable[object]:
    value = answer.get(key)
    return value if isinstance(value, list) else ()


def _entries(answer: Answer, key: str) -> list[dict[str, Any]]:
    return [entry for entry in _list(answer, key) if isinstance(entry, dict)]
