"""What a look at the wire may lack: changes to an honest measurement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from swarmlab.model.check import Check
from swarmlab.model.scenario import Scenario
from swarmlab.model.wire import CanaryHit, Count, KernelState, WireMeasurement, WirePlan
from swarmlab.probes.wire.findings import wire_findings
from swarmlab.probes.wire.judge import judge_wire
from tests.unit.probes.wires import pair, path, seen

ID = "wire:secret-net@host1->host2"
Change = Callable[[WirePlan, WireMeasurement], WireMeasurement]


def checks(p: WirePlan, m: WireMeasurement, s: Scenario | None = None) -> dict[str, Check]:
    return {c.id: c for c in judge_wire(s or pair(), p, m)}


def findings(p: WirePlan, m: WireMeasurement) -> dict[str, str]:
    return {f.id: f.severity for f in wire_findings(p, m, judge_wire(pair(), p, m))}


def without(*kinds: str) -> Change:
    """The sender's capture without such packets."""

    def change(p: WirePlan, m: WireMeasurement) -> WireMeasurement:
        kept = tuple(c for c in m.captures["host1"].counts if not (c.outgoing and c.kind in kinds))
        return seen(m, "host1", counts=kept)

    return change


def unread(p: WirePlan, m: WireMeasurement) -> WireMeasurement:
    return seen(m, "host1", canaries_read=())


def forged(name: str, arrived: bool) -> Change:
    def change(p: WirePlan, m: WireMeasurement) -> WireMeasurement:
        them = {path(p, name).forged_name}
        return replace(m, arrived=m.arrived | them if arrived else m.arrived - them)

    return change


def rules(host: str, target: str, **more: object) -> Change:
    """That rule changed; without `more` it is gone. Before and after alike."""

    def change(p: WirePlan, m: WireMeasurement) -> WireMeasurement:
        def changed(state: KernelState) -> KernelState:
            kept = [r if r.target != target else replace(r, **more) for r in state.rules if more or r.target != target]  # type: ignore[arg-type]
            return replace(state, rules=tuple(kept))

        return replace(
            m,
            before={**m.before, host: changed(m.before[host])},
            after={**m.after, host: changed(m.after[host])},
        )

    return change


def spi(number: int) -> Change:
    def change(p: WirePlan, m: WireMeasurement) -> WireMeasurement:
        counts = tuple(replace(c, number=number) if c.kind == "esp" else c for c in m.captures["host1"].counts)
        return seen(m, "host1", counts=counts)

    return change


def canary_in(where: Count) -> Change:
    return lambda p, m: seen(
        m,
        "host1",
        canaries_read=(*m.captures["host1"].canaries_read, CanaryHit(path(p, "secret-net").name, where, "GET /secret")),
    )
