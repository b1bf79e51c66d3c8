"""Sizes, measured: the agents open a few listeners, try all size probes at once, and close again."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from swarmlab.agent.protocol.mtu import BulkResult, Mtu, MtuAnswer, SizeResult, SizeSpec
from swarmlab.agent.protocol.probing import Close
from swarmlab.model.mtu import BulkEvidence, MtuEvidence, MtuMeasurement, MtuPlan
from swarmlab.model.probe import Probe, ProbePlan
from swarmlab.probes.session.link import AgentLink
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
        counters = Mtu(plan.timeout)
        before = round_.everywhere(dict.fromkeys({e.host for e in plan.endpoints.values()}, counters), SLACK)
        answers = round_.everywhere(_requests(plan, round_), 4 * plan.timeout + SLACK)
        after = round_.everywhere(dict.fromkeys(before, counters), SLACK)
        round_.everywhere(dict.fromkeys(round_.alive, Close()), SLACK, fatal=False)
    fragments = {host: _arrived(before[host], after[host]) for host in after}
    return MtuMeasurement(
        evidence=_evidence(plan, answers),
        fragments=fragments,
        dead_endpoints=round_.dead_endpoints,
        dead_hosts=round_.dead_hosts,
        missing_features=round_.missing_features,
    )


def _as_probes(plan: MtuPlan) -> ProbePlan:
    """What `Round.open` wants: it opens the endpoints of probes, and finds a port that is free in all of them."""
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


def _requests(plan: MtuPlan, round_: Round) -> dict[str, Mtu]:
    found: dict[str, list[SizeSpec]] = {}
    for probe in plan.probes:
        if probe.source not in round_.dead_endpoints:
            bulk = BULK if probe.expectation is not None else 0
            found.setdefault(probe.source_host, []).append(SizeSpec(probe.id, probe.source, probe.address, bulk))
    return {host: Mtu(plan.timeout, tuple(specs)) for host, specs in found.items()}


def _arrived(before: MtuAnswer, after: MtuAnswer) -> int | None:
    first, last = before.fragments.arrived, after.fragments.arrived
    return last - first if first is not None and last is not None else None


def _evidence(plan: MtuPlan, answers: Mapping[str, MtuAnswer]) -> dict[int, MtuEvidence]:
    """What each agent says about the size probes that left from its own host; of others it has nothing to say."""
    own = {(probe.source_host, probe.id) for probe in plan.probes}
    told = ((host, result) for host, answer in answers.items() for result in answer.sizes)
    return {result.id: _size(result) for host, result in told if (host, result.id) in own}


def _size(told: SizeResult) -> MtuEvidence:
    return MtuEvidence(
        told.id,
        error=told.error,
        interface=told.interface,
        mtu=told.mtu,
        small=told.small,
        full=told.full,
        largest=told.largest,
        exact=told.exact,
        tries=told.tries,
        responder=told.responder,
        detail=told.detail,
        control=_transfer(told.control),
        bulk=_transfer(told.bulk),
    )


def _transfer(told: BulkResult | None) -> BulkEvidence | None:
    if told is None:
        return None
    return BulkEvidence(
        size=told.size,
        responder=told.responder,
        moved=told.moved,
        ms=told.ms,
        idle_ms=told.idle_ms,
        outcome=told.outcome,
        detail=told.detail,
    )
