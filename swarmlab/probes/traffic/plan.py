"""What one run measures: every exchange and question that the expectations need, and the controls that give them
weight.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace

from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import DENY, Kind
from swarmlab.model.probe import Endpoint, NameProbe, Probe, ProbePlan
from swarmlab.model.scenario import Scenario
from swarmlab.probes.session.endpoints import WORKLOADS, EndpointIndex
from swarmlab.probes.session.ports import free_port
from swarmlab.probes.traffic import controls, dns
from swarmlab.probes.traffic.expand import TRAFFIC, Exchange, Vips, exchanges

Cells = dict[tuple[object, ...], tuple[Exchange, Expectation]]


def plan(
    scenario: Scenario,
    endpoints: Sequence[Endpoint],
    *,
    timeout: float,
    run: str = "",
    port: int = 0,
    vips: Vips | None = None,
) -> ProbePlan:
    """Expand the scenario's expectations over the endpoints that exist. `run` (16 hex digits) and `port` are random
    when not given.
    """
    index = EndpointIndex(scenario, endpoints)
    cells = _cells(scenario, index, vips or {})
    extra = _extra_ports(cells.values(), index)
    port = port or free_port({p for ports in extra.values() for p in ports})
    denied = [x for x, e in cells.values() if e.expected == DENY]
    probes = [_probe(i, x, port, e) for i, (x, e) in enumerate(cells.values())]
    known = {x for x, e in cells.values() if e.expected != DENY}
    extras = (x for x in dict.fromkeys(controls.controls(denied, index)) if x not in known)
    probes += [_probe(i, x, port, None) for i, x in enumerate(extras, len(probes))]
    questions = _names(scenario, index, vips or {})
    return ProbePlan(
        endpoints=_used(index, probes),
        probes=tuple(probes),
        names=questions,
        port=port,
        run=run or secrets.token_hex(8),
        timeout=timeout,
        extra_ports=extra,
    )


def _cells(scenario: Scenario, index: EndpointIndex, vips: Vips) -> Cells:
    """Each exchange once. What a person wrote wins over what was derived, and the narrower over the wider; two that
    contradict each other all the same are both measured.
    """
    cells: Cells = {}
    for e in sorted((e for e in scenario.expectations if e.kind in TRAFFIC), key=_rank):
        for x in exchanges(e, index, vips):
            key: tuple[object, ...] = (e.kind, *x)
            before = cells.get(key)
            if before is None:
                cells[key] = (x, e)
            elif before[1].expected != e.expected and _rank(before[1]) == _rank(e):
                cells.setdefault((*key, e.expected), (x, e))
    return cells


def _rank(e: Expectation) -> tuple[bool, int]:
    return (e.derived, -(bool(e.network) + bool(e.protocol)))


def _names(scenario: Scenario, index: EndpointIndex, vips: Vips) -> tuple[NameProbe, ...]:
    chosen: dict[tuple[str, ...], NameProbe] = {}
    for e in sorted((e for e in scenario.expectations if e.kind is Kind.NAME), key=lambda e: e.derived):
        for p in dns.name_probes(e, index, vips):
            before = chosen.get((p.source, p.name, p.target))
            if before is None:
                chosen[p.source, p.name, p.target] = p
            elif (
                before.expectation
                and before.expectation.expected != e.expected
                and before.expectation.derived == e.derived
            ):
                chosen.setdefault((p.source, p.name, p.target, e.expected), p)
    checks = list(chosen.values())
    return tuple(replace(p, id=i) for i, p in enumerate([*checks, *dict.fromkeys(dns.controls(checks, index))]))


def _probe(id_: int, x: Exchange, port: int, expectation: Expectation | None) -> Probe:
    purpose = "control" if expectation is None else "check"
    return Probe(
        id=id_,
        source=x.source,
        target=x.target,
        address=x.address,
        network=x.network,
        protocol=x.protocol,
        port=x.port or port,
        purpose=purpose,
        expectation=expectation,
    )


def _extra_ports(cells: Iterable[tuple[Exchange, Expectation]], index: EndpointIndex) -> dict[str, tuple[int, ...]]:
    """Endpoint id -> the ports on which it has to listen besides the run's own; a virtual address leads to any task of
    its service.
    """
    ports: dict[str, set[int]] = {}
    for x, _ in cells:
        if x.port:
            for id_ in [x.target] if x.target in index.by_id else [t.id for t in index.of(x.target)]:
                ports.setdefault(id_, set()).add(x.port)
    return {target: tuple(sorted(found)) for target, found in ports.items()}


def _used(index: EndpointIndex, probes: Iterable[Probe]) -> dict[str, Endpoint]:
    """All of the workload (the judge asks where tasks run), and of the rest what a probe needs."""
    needed = {end for p in probes for end in (p.source, p.target)}
    return {e.id: e for e in index.by_id.values() if e.id in needed or e.role in WORKLOADS}
