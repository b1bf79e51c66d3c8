"""Whether the routing mesh leads from each host to every task: a backend that is gone takes one request in n, and one
probe may miss it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from swarmlab.model.check import Check
from swarmlab.model.check_evidence.publish import MeshEvidence
from swarmlab.model.host import OUTSIDE
from swarmlab.model.judgement import Judgement, not_measured, proven, violated
from swarmlab.model.kinds import ALLOW, DENY, IPVS, Kind
from swarmlab.model.probe import Probe
from swarmlab.model.scenario import INGRESS
from swarmlab.probes.publish.balance import BALANCE, MOST, ROUNDS
from swarmlab.probes.publish.conditions import unmet
from swarmlab.probes.publish.judge import port_id
from swarmlab.probes.publish.open import UNMEASURABLE
from swarmlab.probes.publish.plan import HostPort
from swarmlab.probes.publish.published import Published

BUDGET = 1024  # connections of one run; each host port gets one for each task whatever the others take


def meshed(host_ports: Iterable[HostPort]) -> list[HostPort]:
    """Ports of the mesh, also with one task behind them: beside a backend that is gone, every other request to it
    fails.
    """
    return [d for d in host_ports if d.mode == INGRESS and d.expected == ALLOW and d.tasks]


def repeated(host_ports: Iterable[HostPort], missing_features: Mapping[str, tuple[str, ...]]) -> list[HostPort]:
    """Each of them as often as it is to be tried again; never at a host whose kernel cannot, as that would only time
    out.
    """
    found = [d for d in meshed(host_ports) if IPVS not in missing_features.get(d.host, ())]
    return [d for d in found for _ in range(max(len(d.tasks), min(ROUNDS * len(d.tasks), MOST, BUDGET // len(found))))]


def mesh_checks(p: Published) -> list[Check]:
    """One for each port and host."""
    return [
        _check(p, host_port, [probe for probe in p.tried(host_port) if probe.id not in p.host_ports])
        for host_port in meshed(p.host_ports.values())
    ]


def _check(p: Published, host_port: HostPort, probes: list[Probe]) -> Check:
    judged = judge(p, host_port, probes)
    met = Counter(p.by(probe, host_port) for probe in probes if came_through(p, probe, host_port))
    shown = MeshEvidence(
        address=next((probe.address for probe in probes), ""),
        connections=len(probes),
        unanswered=len(probes) - met.total(),
        answers_by={task: met[task] for task in host_port.tasks},
        answers_by_unknown=met[""],
    )
    target = host_port.expectation.target
    return Check(
        id=port_id(host_port, BALANCE),
        kind=str(Kind.PUBLISH),
        source=OUTSIDE,
        target=target,
        network=INGRESS,
        protocol=host_port.protocol,
        port=host_port.port,
        expected=ALLOW,
        observed=judged.observed,
        verdict=judged.verdict,
        because=f"{host_port.because}, and leads to every task",
        explanation=judged.explanation,
        source_service=OUTSIDE,
        target_service=target,
        target_host=host_port.host,
        evidence=shown,
    )


def came_through(p: Published, probe: Probe, host_port: HostPort) -> bool:
    """Answered by anybody, or (a datagram that the application does not answer) seen by a task."""
    if probe.id in p.seen.answers:
        return not p.ends_at_the_host(host_port)
    return probe.protocol == "udp" and bool(p.takers(probe))


def judge(p: Published, host_port: HostPort, probes: Sequence[Probe]) -> Judgement:
    """Every task took a request at least once, and none was lost; of each it is known who took it."""
    by = [p.by(probe, host_port) for probe in probes if came_through(p, probe, host_port)]
    lost = [probe for probe in probes if not came_through(p, probe, host_port)]
    never, strangers = [t for t in host_port.tasks if t not in by], sorted(set(by) - {"", *host_port.tasks})
    parts = [
        f"{len(host_port.tasks) - len(never)} of {len(host_port.tasks)} tasks answered over {len(probes)} connections"
    ]
    parts += [f"never {', '.join(never)}"] if never else []
    parts += [f"{len(lost)} came to no task, as with a backend that is gone"] if lost else []
    parts += [f"{', '.join(strangers)} answered in their place"] if strangers else []
    said = f"{OUTSIDE} to {host_port.host}:{host_port.port}: {'; '.join(parts)}."
    if strangers:
        return violated(DENY, said)
    doubt = _doubt(p, host_port, probes, lost) if never or lost or _by_capture_alone(p, probes) else ""
    if doubt or "" in by:
        text = doubt or f"{by.count('')} of {len(probes)} connections were accepted, and it is not known by whom"
        return not_measured(text)
    return violated(DENY, said) if never or lost else proven(ALLOW)


def _by_capture_alone(p: Published, probes: Iterable[Probe]) -> bool:
    """Some request named no responder: the kernel completes handshakes for a process that is stopped."""
    return any(not p.seen.answers.get(probe.id) for probe in probes)


def _doubt(p: Published, host_port: HostPort, probes: Sequence[Probe], lost: Sequence[Probe]) -> str:
    """Why what is missing says nothing about the mesh; "" when it does."""
    reasons = [
        p.facts.unsound(OUTSIDE),
        *(p.facts.unsound(task) for task in host_port.tasks),
        p.mesh_cannot_work(host_port),
    ]
    reasons += [] if probes else ["no connection was tried"]
    silent = [probe for probe in lost if probe.id not in p.seen.answers]
    reasons += [why for probe in silent for why in unmet(UNMEASURABLE, p, probe, host_port, p.evidence(probe))]
    return next(filter(None, reasons), "")
