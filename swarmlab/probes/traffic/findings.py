"""Named faults: what the checks of one run have in common, per pair of hosts, network or service, with what to do about
it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from swarmlab.model.check import Check, Finding, Verdict, worst_first
from swarmlab.model.check_evidence.base import NothingMeasured
from swarmlab.model.check_evidence.traffic import LookupEvidence
from swarmlab.model.evidence import Outcome
from swarmlab.model.ids import finding_id, pair
from swarmlab.model.kinds import ALLOW, DENY, IPVS, Kind
from swarmlab.model.probe import Probe
from swarmlab.probes.session.sources import ISSUE, LIBNETWORK_ISSUE
from swarmlab.probes.traffic.crossings import crossings
from swarmlab.probes.traffic.facts import Facts


def findings(facts: Facts, checks: Iterable[Check]) -> tuple[Finding, ...]:
    """Each fault once, the worst kind first."""
    checks = list(checks)
    found = [f for look in (_leaks, _names) for f in look(checks)]
    found += [f for seek in (crossings, _unsent, _duplicates, _kernels) for f in seek(facts)]
    return worst_first(found)


def _leaks(checks: list[Check]) -> Iterator[Finding]:
    """Who reaches whom although it must not: by packets, or only by name."""
    pairs: dict[tuple[str, str, bool], list[Check]] = defaultdict(list)
    for c in checks:
        if c.expected == DENY and c.verdict is Verdict.FAIL:
            pairs[c.source_service, c.target_service, c.kind == Kind.NAME].append(c)
    for (source, target, by_name), found in pairs.items():
        if by_name:
            title = f"{source} can resolve {target}"
            fix = "see which networks and aliases the two share: `docker inspect` on the tasks"
        else:
            nets = ", ".join(sorted({c.network for c in found} - {""})) or "some network"
            title = f"{source} reaches {target}, over {nets}"
            shared = f"detach {source} and {target} from what they share"
            fix = f"{shared}: compare `docker network inspect -v` with the file"
        yield Finding(
            id=finding_id("name-leak" if by_name else "leak", pair(source, target)),
            severity="isolation",
            title=title,
            hosts=_hosts(found),
            layer="dns" if by_name else "overlay",
            fix=fix,
            source=", ".join(c.id for c in found[:3]),
        )


# What a kernel said when it could not send -> finding, title, fix. The last row takes all that no other row took.
OVERFLOW = (
    "neighbour-overflow",
    "the kernel's neighbour table is full",
    "`sysctl -w net.ipv4.neigh.default.gc_thresh3=16384` on the machine whose kernel these hosts use "
    "(container hosts: this one)",
)
SEND_ERRORS = (
    (
        "the sender's own firewall dropped",
        ("own-firewall", "the senders' own firewall drops what they send", "see its OUTPUT rules"),
    ),
    ("neighbour table", OVERFLOW),
    ("ENOBUFS", OVERFLOW),
    ("", ("send-error", "the kernel could not send", "see `dmesg` and the free memory of these hosts")),
)


def _unsent(facts: Facts) -> Iterator[Finding]:
    failed: dict[tuple[str, str, str], list[tuple[Probe, str]]] = defaultdict(list)
    for p in facts.plan.probes:
        e = facts.evidence(p)
        if e.outcome is Outcome.SEND_ERROR:
            failed[next(named for sign, named in SEND_ERRORS if sign in e.detail)].append((p, e.detail))
    for (fault, title, fix), found in failed.items():
        hosts = tuple(sorted({facts.host(p.source) for p, _ in found}))
        source = f"{found[0][1] or 'no detail'}{f'; {ISSUE}44973' if fault == OVERFLOW[0] else ''}"
        yield Finding(
            id=finding_id(fault),
            severity="flaky",
            title=f"{title}: {len(found)} probes were not sent",
            hosts=hosts,
            layer="kernel",
            fix=fix,
            source=source,
        )


def _names(checks: list[Check]) -> Iterator[Finding]:
    """Names that ought to be known: by everybody missed, or only on some hosts."""
    asked: dict[str, list[Check]] = defaultdict(list)
    for c in checks:
        name = _asked(c)
        if name and c.expected == ALLOW:
            asked[name].append(c)
    for name, found in asked.items():
        failed = [c for c in found if c.verdict is Verdict.FAIL]
        if failed:
            yield _name_missing(name, failed, everywhere=len(failed) == len(found))


def _asked(check: Check) -> str:
    """The name that a check of kind name is about; "" for other kinds."""
    if isinstance(check.evidence, LookupEvidence):
        return check.evidence.name
    return check.evidence.asked if isinstance(check.evidence, NothingMeasured) else ""


def _name_missing(name: str, failed: list[Check], *, everywhere: bool) -> Finding:
    if everywhere:
        how = "not known, or answered wrongly, everywhere"
        runs = f"see that {failed[0].target_service} runs"
        fix = f"{runs}, and that the name is among its aliases on the shared network"
    else:
        how = "missing or wrong for some who may know it"
        fix = (
            "compare `docker network inspect -v` on these hosts: their control planes differ "
            "(TCP and UDP 7946 between all hosts)"
        )
    return Finding(
        id=finding_id("name-missing", name),
        severity="connectivity",
        title=f"{name} is {how}",
        hosts=_hosts(failed),
        layer="dns",
        fix=fix,
        source=f"{failed[0].explanation} {ISSUE}47728",
    )


def _duplicates(facts: Facts) -> Iterator[Finding]:
    """Someone else answers where an allowed target should: an address given twice, or a wrong route."""
    pairs: dict[tuple[str, str], Probe] = {}
    for p in facts.plan.probes:
        e = facts.evidence(p)
        other = e.outcome is Outcome.ANSWERED and e.responder != "" and not facts.is_target(p, e.responder)
        if other and p.expectation is not None and p.expectation.expected == ALLOW:
            pairs.setdefault((p.target, e.responder), p)
    for (target, by), p in pairs.items():
        hosts = tuple(sorted({facts.host(target), facts.host(by)} - {""}))
        yield Finding(
            id=finding_id("answered-by-other", target),
            severity="connectivity",
            title=f"{by} answers at {p.address}, which is {target}'s",
            hosts=hosts,
            layer="overlay",
            fix=f"compare the addresses of both on {p.network}; subnets of networks must not overlap, "
            "nor address ranges of macvlan",
            source=f"{ISSUE}49921",
        )


def _kernels(facts: Facts) -> Iterator[Finding]:
    """What the kernels lack, if the scenario wants it."""
    hosts = tuple(sorted(h for h, missing in facts.measurement.missing_features.items() if IPVS in missing))
    if hosts and any(s.endpoint_mode == "vip" for s in facts.scenario.services.values()):
        yield Finding(
            id=finding_id("no-ipvs"),
            severity="info",
            title="virtual addresses of services do not work: the kernel has no IP_VS",
            hosts=hosts,
            layer="kernel",
            fix="use `endpoint_mode: dnsrr`, or hosts whose kernel has ip_vs (`modprobe ip_vs`)",
            source=f"{LIBNETWORK_ISSUE}1166",
        )


def _hosts(checks: Iterable[Check]) -> tuple[str, ...]:
    return tuple(sorted({h for c in checks for h in (c.source_host, c.target_host) if h}))
