"""Sizes, measured: the agents that are there already open a few listeners, try all size probes at once, and close
again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from swarmlab.model.mtu import BulkEvidence, MtuEvidence, MtuMeasurement, MtuPlan, SizeProbe
from swarmlab.model.probe import Probe, ProbePlan
from swarmlab.probes.session.link import AgentLink, Answer, Message
from swarmlab.probes.session.ports import free_port
from swarmlab.probes.session.round import SLACK, Round

BULK = 256 * 1024  # bytes: many times what leaves before the first acknowledgement; a third of a second at 6 Mbit/s


def measure_sizes(
    plan: MtuPlan, agents: Mapping[str, AgentLink], *, dead_hosts: Mapping[str, str] | None = None
) -> MtuMeasurement:
    """Do what the plan says. Never raises for a host that fails."""
    if not plan.probes:
        return MtuMeasurement()
    with ThreadPoolExecutor(max_workers=max(1, len(agents)), thread_name_prefix="mtu") as pool:
        round_ = Round(_as_probes(plan), agents, pool, dict(dead_hosts or {}))
        round_.open()
        counters: Message = {"op": "mtu", "timeout": plan.timeout, "trials": []}
        before = round_.everywhere(
            dict.fromkeys({e.host for e in plan.endpoints.values()} & round_.alive, counters), SLACK
        )
        answers = round_.everywhere(_requests(plan, round_), 4 * plan.timeout + SLACK)
        after = round_.everywhere(dict.fromkeys(before, counters), SLACK)
        round_.everywhere({h: {"op": "close"} for h in round_.alive}, SLACK, fatal=False)
    fragments = {host: _arrived(before[host], after[host]) for host in after}
    return MtuMeasurement(
        _evidence(plan, answers), fragments, round_.dead_endpoints, round_.dead_hosts, round_.missing_features
    )


def _as_probes(plan: MtuPlan) -> ProbePlan:
    """What `Run.open` wants: it opens the endpoints of probes, and finds a port that is free in all of them."""
    port = free_port(set())
    probes = tuple(
        Probe(
            id=t.id, source=t.source, target=t.target, address=t.address, network=t.network, protocol="udp", port=port
        )
        for t in plan.probes
    )
    return ProbePlan(
        endpoints=plan.endpoints, probes=probes, names=(), port=port, run=secrets.token_hex(8), timeout=plan.timeout
    )


def _requests(plan: MtuPlan, round_: Round) -> dict[str, Message]:
    found: dict[str, list[dict[str, object]]] = {}
    for t in plan.probes:
        if t.source not in round_.dead_endpoints:
            bulk = BULK if t.expectation is not None else 0
            found.setdefault(t.source_host, []).append(
                {"id": t.id, "from": t.source, "address": t.address, "bulk": bulk}
            )
    return {
        h: {"op": "mtu", "timeout": plan.timeout, "trials": probes} for h, probes in found.items() if h in round_.alive
    }


def _arrived(before: Answer, after: Answer) -> int | None:
    counts = [_count(_table(answer.get("fragments")).get("arrived")) for answer in (before, after)]
    return counts[1] - counts[0] if counts[0] is not None and counts[1] is not None else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _evidence(plan: MtuPlan, answers: Mapping[str, Answer]) -> dict[int, MtuEvidence]:
    """What each agent says about the size probes that left from its own host; anything else it says is not heard."""
    own = {(t.source_host, t.id): t for t in plan.probes}
    found: dict[int, MtuEvidence] = {}
    for host, answer in answers.items():
        entries = answer.get("trials")
        for entry in entries if isinstance(entries, list) else []:
            probe = own.get((host, _count(_table(entry).get("id")) or 0)) if isinstance(entry, dict) else None
            if probe is not None and _count(entry.get("id")) is not None:
                found[probe.id] = _read(probe, entry)
    return found


def _read(probe: SizeProbe, entry: Mapping[str, object]) -> MtuEvidence:
    bulks = entry.get("bulk")
    small, large = ([*map(_bulk, bulks), None, None] if isinstance(bulks, list) else [None, None])[:2]
    return MtuEvidence(
        probe.id, _text(entry, "error"), _text(entry, "interface"), _count(entry.get("mtu")) or 0, entry.get("small") is True,
        entry.get("full") is True, _count(entry.get("largest")) or 0, entry.get("exact") is True, _count(entry.get("tries")) or 0,
        _text(entry, "responder"), _text(entry, "detail"), small, large,
    )  # fmt: skip


def _bulk(value: object) -> BulkEvidence:
    entry = _table(value)
    return BulkEvidence(
        _count(entry.get("size")) or 0, _text(entry, "responder"), _count(entry.get("moved")) or 0, _milliseconds(entry, "ms"),
        _milliseconds(entry, "idle_ms"), _text(entry, "outcome"), _text(entry, "detail"),
    )  # fmt: skip


def _milliseconds(entry: Mapping[str, object], key: str) -> float | None:
    value = entry.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9 else None


def _text(entry: Mapping[str, object], key: str) -> str:
    value = entry.get(key)
    return value[:300] if isinstance(value, str) else ""
