"""Whether the routing mesh leads from each host to every task: a backend that is gone takes one request in n, and one probe may miss it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from swarmlab.model.check import Check, Verdict
from swarmlab.model.expectation import ALLOW
from swarmlab.model.host import OUTSIDE
from swarmlab.model.probe import Probe
from swarmlab.probes.balance import MOST, ROUNDS
from swarmlab.probes.judge_publish import UNMEASURABLE, Judged, Published, mesh_cannot_work
from swarmlab.probes.publish_plan import INGRESS, Door

BUDGET = 1024  # connections of one run; each door gets one for each task whatever the others take


def meshed(doors: Iterable[Door]) -> list[Door]:
    """Ports of the mesh, also with one task behind them: beside a backend that is gone, every other request to it fails."""
    return [d for d in doors if d.mode == INGRESS and d.expected == ALLOW and d.tasks]


def repeated(doors: Iterable[Door], lacks: Mapping[str, tuple[str, ...]]) -> list[Door]:
    """Each of them as often as it is to be tried again; never at a host whose kernel cannot, as that would only time out."""
    found = [d for d in meshed(doors) if "ip_vs" not in lacks.get(d.host, ())]
    return [d for d in found for _ in range(max(len(d.tasks), min(ROUNDS * len(d.tasks), MOST, BUDGET // len(found))))]


def mesh_checks(p: Published) -> list[Check]:
    """One for each port and host."""
    return [_check(p, door, [probe for probe in p.tried(door) if probe.id not in p.doors]) for door in meshed(p.doors.values())]


def _check(p: Published, door: Door, probes: list[Probe]) -> Check:
    verdict, observed, text = judge(p, door, probes)
    met = Counter(p.by(probe, door) for probe in probes if came_through(p, probe, door))
    shown: dict[str, object] = {
        "address": next((probe.address for probe in probes), ""), "connections": len(probes), "unanswered": len(probes) - met.total(),
        "answers_by": {task: met[task] for task in door.tasks}, "answers_by_unknown": met[""],
    }  # fmt: skip
    target = door.expectation.target
    return Check(
        f"publish:{OUTSIDE}->{target}@{door.host}/{door.protocol}:{door.said}/balance", "publish", OUTSIDE, target, INGRESS, door.protocol,
        door.port, ALLOW, observed, verdict, f"{door.because}, and leads to every task", text, OUTSIDE, target, "", door.host, shown,
    )  # fmt: skip


def came_through(p: Published, probe: Probe, door: Door) -> bool:
    """Answered by anybody, or (a datagram that the application does not answer) seen by a task."""
    if probe.id in p.seen.answers:
        return not p.ends_at_the_host(door)
    return probe.protocol == "udp" and bool(p.takers(probe))


def judge(p: Published, door: Door, probes: Sequence[Probe]) -> Judged:
    """Every task took a request at least once, and none was lost; of each it is known who took it."""
    by = [p.by(probe, door) for probe in probes if came_through(p, probe, door)]
    lost = [probe for probe in probes if not came_through(p, probe, door)]
    never, strangers = [t for t in door.tasks if t not in by], sorted(set(by) - {"", *door.tasks})
    parts = [f"{len(door.tasks) - len(never)} of {len(door.tasks)} tasks answered over {len(probes)} connections"]
    parts += [f"never {', '.join(never)}"] if never else []
    parts += [f"{len(lost)} came to no task, as with a backend that is gone"] if lost else []
    parts += [f"{', '.join(strangers)} answered in their place"] if strangers else []
    said = f"{OUTSIDE} to {door.host}:{door.port}: {'; '.join(parts)}."
    if strangers:
        return Verdict.FAIL, "deny", said
    doubt = _doubt(p, door, probes, lost) if never or lost or _by_capture_alone(p, probes) else ""
    if doubt or "" in by:
        text = doubt or f"{by.count('')} of {len(probes)} connections were accepted, and it is not known by whom"
        return Verdict.INCONCLUSIVE, "unknown", f"Not measured: {text}."
    return (Verdict.FAIL, "deny", said) if never or lost else (Verdict.PASS, "allow", "")


def _by_capture_alone(p: Published, probes: Iterable[Probe]) -> bool:
    """Some request named no responder: the kernel completes handshakes for a process that is stopped."""
    return any(not p.seen.answers.get(probe.id) for probe in probes)


def _doubt(p: Published, door: Door, probes: Sequence[Probe], lost: Sequence[Probe]) -> str:
    """Why what is missing says nothing about the mesh; "" when it does."""
    reasons = [p.facts.unsound(OUTSIDE), *(p.facts.unsound(task) for task in door.tasks), mesh_cannot_work(p, door)]
    reasons += [] if probes else ["no connection was tried"]
    silent = [probe for probe in lost if probe.id not in p.seen.answers]
    reasons += [look(p, probe, door, p.evidence(probe)) for probe in silent for look in UNMEASURABLE]
    return next(filter(None, reasons), "")
