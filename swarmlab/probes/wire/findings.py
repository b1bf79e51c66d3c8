"""Named faults of the wire: cleartext where there should be ESP, ESP that is lost on the way, rules and keys that are
missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from swarmlab.model.check import Check, Finding, Verdict, worst_first
from swarmlab.model.check_evidence.wire import WireEvidence
from swarmlab.model.ids import finding_id, pair
from swarmlab.model.kinds import ENCRYPTED
from swarmlab.model.wire import TunnelPath, WireMeasurement, WirePlan
from swarmlab.probes.session.sources import ISSUE, LIBNETWORK_ISSUE
from swarmlab.probes.wire.facts import WireFacts

RESTART = (
    "restart the engine there: it sets its rules and keys anew (and find out who flushed them: a firewall reload does)"
)
HEAL = f"{RESTART}; engines before 20.10.24 and 23.0.3 fail open: upgrade"


def wire_findings(plan: WirePlan, measured: WireMeasurement, checks: Sequence[Check]) -> tuple[Finding, ...]:
    """Each fault once, the worst kind first."""
    facts = WireFacts(plan, measured)
    found = {
        f.id: f for look in (_leaks, _unmarked, _keyless, _lost, _mismatched, _kernels) for f in look(facts, checks)
    }
    return worst_first(found.values())


def _leaks(facts: WireFacts, checks: Sequence[Check]) -> Iterator[Finding]:
    """What one side sends in clear, and what the other takes, are faults of different hosts: both are said."""
    for check in checks:
        if check.verdict is not Verdict.FAIL or check.expected != ENCRYPTED:
            continue
        here, there = check.source_host, check.target_host
        shown = check.evidence
        if isinstance(shown, WireEvidence) and (shown.read_in_clear or shown.vxlan_packets):
            title = f"{check.network} leaves {here} in clear, although it should be encrypted"
            yield Finding(
                id=finding_id("cleartext", check.network, on=here),
                severity="confidentiality",
                title=title,
                hosts=(here,),
                layer="underlay",
                fix=HEAL,
                source=check.explanation,
            )
        if any(
            p.network == check.network and p.direction == (here, there) and facts.injectable(p)
            for p in facts.plan.guarded
        ):
            title = f"{there} takes cleartext for {check.network}: anybody on the underlay can put frames into it"
            yield Finding(
                id=finding_id("injectable", check.network, on=there),
                severity="isolation",
                title=title,
                hosts=(there,),
                layer="firewall",
                fix=f"on {there}: {HEAL}",
                source=f"a forged VXLAN frame in clear arrived at {check.target}; GHSA-vwm3-crmr-xfxw",
            )


def _able(facts: WireFacts) -> Iterator[TunnelPath]:
    """Tunnel paths of overlays that the engines say are encrypted, between kernels that could."""
    yield from (
        p
        for p in facts.plan.guarded
        if not p.plain and not facts.without_esp(p) and not set(p.direction) & facts.measured.dead.keys()
    )


def _unmarked(facts: WireFacts, checks: Sequence[Check]) -> Iterator[Finding]:
    for p in _able(facts):
        host = p.source.host
        if p.vnis and facts.after(host).forms and not facts.marking(p):
            title = f"{host} has no rule that hands {p.network} (VNI {min(p.vnis)}) to IPsec"
            yield Finding(
                id=finding_id("mark-missing", p.network, on=host),
                severity="confidentiality",
                title=title,
                hosts=(host,),
                layer="firewall",
                fix=RESTART,
                source=f"mangle OUTPUT of {', '.join(facts.after(host).forms)} has no MARK for it: "
                "what it sends may leave in clear",
            )


def _keyless(facts: WireFacts, checks: Sequence[Check]) -> Iterator[Finding]:
    for p in _able(facts):
        here, there = p.direction
        if here in facts.measured.after and not facts.after(here).errors and not facts.held(p):
            title = f"{here} holds no IPsec association for {there}, though they share encrypted {p.network}"
            yield Finding(
                id=finding_id("xfrm-empty", pair(here, there)),
                severity="confidentiality",
                title=title,
                hosts=(here, there),
                layer="kernel",
                fix=RESTART,
                source=f"the engine clears all associations when a key update fails; {LIBNETWORK_ISSUE}2462",
            )


def _lost(facts: WireFacts, checks: Sequence[Check]) -> Iterator[Finding]:
    """ESP that was made here and not taken there, while a plain overlay's canary did come to that host's underlay."""
    for p in _able(facts):
        here, there = p.direction
        names = {w.name for w in facts.controls(p)}
        passes = any(s.canary in names and not s.where.outgoing for s in facts.capture(there).canaries_read)
        where, proof = _where_lost(facts, p) if passes else ("", "")
        if where:
            yield Finding(
                id=finding_id("esp-lost", pair(here, there)),
                severity="connectivity",
                title=f"ESP (IP protocol 50) is blocked between {here} and {there}: {where}",
                hosts=(here, there),
                layer="underlay",
                fix=f"let IP protocol 50 pass from {here} to {there}, in every firewall on the way",
                source=f"{proof}, while VXLAN passed; {ISSUE}26523",
            )


def _where_lost(facts: WireFacts, p: TunnelPath) -> tuple[str, str]:
    """Captures stand between a host's own packet filter and the wire: they tell on which side of it ESP is lost."""
    here, there = p.direction
    sent = sum(c.packets for c in facts.esp(p))
    came = sum(
        c.packets
        for c in facts.capture(there).counts
        if c.kind == "esp" and not c.outgoing and c.source in facts.addresses(here)
    )
    if not sent and facts.capture(here).whole and facts.used(p, here):
        proof = f"{here}'s kernel encrypted packets for {there}, and none left it"
        return f"{here}'s own packet filter drops it", proof
    if sent and not came and facts.capture(there).whole:
        return f"what {here} sends never arrives", f"{sent} ESP packets left {here}, none arrived on {there}"
    taken = facts.used(p, there) or p.name in facts.measured.arrived or facts.unreadable_by_peer(p)
    if sent and came and not taken and there in facts.measured.after:
        proof = f"{came} ESP packets came to {there}, and its kernel decrypted none"
        return f"{there}'s own packet filter drops it", proof
    return "", ""


def _mismatched(facts: WireFacts, checks: Sequence[Check]) -> Iterator[Finding]:
    for p in _able(facts):
        here, there = p.direction
        strange = facts.unreadable_by_peer(p)
        if strange and facts.after(there).associations:
            title = f"{there} cannot decrypt what {here} sends: it does not know SPI 0x{strange[0]:08x}"
            yield Finding(
                id=finding_id("spi-unknown", pair(here, there)),
                severity="connectivity",
                title=title,
                hosts=(here, there),
                layer="kernel",
                fix="run engines of one release that is not 25.0.13-25.0.14, 28.2.2 or 29.0.0-29.2.0: "
                "those number associations differently",
                source=f"{ISSUE}51798",
            )


def _kernels(facts: WireFacts, checks: Sequence[Check]) -> Iterator[Finding]:
    hosts = tuple(sorted({host for p in facts.plan.guarded if not p.plain for host in facts.without_esp(p)}))
    if hosts:
        nets = ", ".join(sorted({p.network for p in facts.plan.guarded if not p.plain}))
        yield Finding(
            id=finding_id("no-esp"),
            severity="info",
            title=f"encrypted overlays carry nothing between hosts: the kernel has no ESP ({nets})",
            hosts=hosts,
            layer="kernel",
            fix="use hosts whose kernel has esp4 and gcm (`modprobe esp4`), "
            "such as virtual machines with a kernel of their own",
            source="a test association was refused by the kernel; moby contrib/check-config.sh",
        )
