"""The truth table of the wire: encrypted passes only when every condition holds, and each one knocked out says what is
missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from swarmlab.model.check import Check, Verdict
from swarmlab.model.evidence import NetworkEvidence
from swarmlab.model.kinds import CLEAR, ENCRYPTED
from swarmlab.model.probe import Address
from swarmlab.model.scenario import Scenario
from swarmlab.model.wire import CanaryHit, Count, KernelState, WireMeasurement, WirePlan
from swarmlab.probes.wire.conditions import CONDITIONS
from swarmlab.probes.wire.findings import wire_findings
from swarmlab.probes.wire.judge import judge_wire
from swarmlab.probes.wire.plan import VNIS
from tests.unit.probes import wires
from tests.unit.probes.wires import ADDRESSES, SPI, VNI, count, expect, honest, pair, path, planned, seen, told

ID = "wire:secret-net@host1->host2"
Change = Callable[[WirePlan, WireMeasurement], WireMeasurement]


def checks(p: WirePlan, m: WireMeasurement, s: Scenario | None = None) -> dict[str, Check]:
    return {c.id: c for c in judge_wire(s or pair(), p, m)}


def findings(p: WirePlan, m: WireMeasurement) -> dict[str, str]:
    return {f.id: f.severity for f in wire_findings(p, m, judge_wire(pair(), p, m))}


def test_all_is_as_it_should_be() -> None:
    p = planned()
    found = checks(p, honest(p))
    assert {id_: (c.expected, c.observed, c.verdict) for id_, c in found.items()} == {
        f"wire:{key}@{direction}": (expected, expected, Verdict.PASS)
        for key, expected in (("plain-net", CLEAR), ("secret-net", ENCRYPTED))
        for direction in ("host1->host2", "host2->host1")
    }
    secret, plain = found[ID], found["wire:plain-net@host1->host2"]
    assert (secret.source, secret.target, secret.source_service, secret.target_host) == (
        "shop.1",
        "bank.1",
        "shop",
        "host2",
    )
    assert secret.evidence.to_json()["spis"] == secret.evidence.to_json()["spis_held"] == ["0xaaaa0001"]
    assert secret.evidence.to_json()["packets_marked"] == {"before": 100, "after": 400}
    assert secret.evidence.to_json()["capture_proven_by"] == "the canary of plain plain-net, read in clear"
    assert secret.explanation == "Nothing but ESP left host1 for host2."
    assert str(plain.evidence.to_json()["excerpt"]).startswith("GET /orders/swlb")
    assert findings(p, honest(p)) == {}


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


MISSING: tuple[tuple[Change, str], ...] = (
    (
        lambda p, m: replace(m, missing_features={"host1": ("ip_vs", "esp")}),
        "the kernel of host1 has no ESP (XFRM): the engine drops the encrypted",
    ),
    (
        lambda p, m: replace(m, missing_features={"host1": ("esp",), "host2": ("esp",)}),
        "the kernels of host1 and host2 have no ESP",
    ),
    (lambda p, m: replace(m, dead={"host2": "host2: broken pipe"}), "the agent is gone (host2: broken pipe)"),
    (
        lambda p, m: replace(m, unsent={path(p, "secret-net").name: "network unreachable"}),
        "the canary was not sent from shop.1",
    ),
    (lambda p, m: seen(m, "host1", unseen=7), "the capture on host1 lost 7 packets"),
    (lambda p, m: seen(m, "host1", complete=False), "the capture on host1 lost an unknown number of packets"),
    (
        lambda p, m: seen(m, "host1", error="the underlay cannot be captured: no"),
        "no capture on host1: the underlay cannot be captured",
    ),
    (lambda p, m: replace(m, captures={"host2": m.captures["host2"]}), "no capture on host1: its agent did not tell"),
    (unread, "the capture on host1 is not proven: the canary of plain plain-net to host2 was not seen in it"),
    (without("esp"), "no ESP from host1 to host2 was seen"),
    (
        lambda p, m: replace(m, arrived=m.arrived - {path(p, "secret-net").name}),
        "the canary did not arrive at bank.1, so the ESP that was seen may be another's",
    ),
    (spi(1), "has an SPI that host1's kernel does not hold"),
    (lambda p, m: told(m, "host1", associations=()), "host1 holds no IPsec association for host2"),
    (lambda p, m: told(m, "host1", policies=()), "no policy on host1 fits packets to port 4789 of host2"),
    (
        lambda p, m: told(m, "host1", policies=(replace(m.after["host1"].policies[0], dport=4790),)),
        "no policy on host1 fits",
    ),
    (
        lambda p, m: told(m, "host1", policies=(replace(m.after["host1"].policies[0], source="10.1.1.1"),)),
        "no policy on host1 fits",
    ),
    (lambda p, m: told(m, "host1", associations=m.before["host1"].associations), "did not count a byte"),
    (rules("host1", "MARK"), "no MARK rule for VNI 4098 was found on host1"),
    (rules("host1", "MARK", vni=4097), "no MARK rule for VNI 4098 was found on host1"),
    (rules("host1", "MARK", mark=1), "no MARK rule for VNI 4098 was found on host1"),
    (rules("host1", "MARK", dport=4790), "no MARK rule for VNI 4098 was found on host1"),
    (rules("host1", "MARK", packets=5), "the MARK rule for VNI 4098 on host1 did not count a packet"),
    (lambda p, m: replace(m, before={}, after={}), "no packet filter could be read there"),
    (rules("host2", "DROP"), "no DROP rule for VNI 4098 was found on host2"),
    (
        forged("plain-net", arrived=False),
        "forging is not proven: no forged frame for a plain overlay arrived on host2 either",
    ),
    (
        lambda p, m: replace(m, unsent={path(p, "secret-net").forged_name: "no route"}),
        "no forged frame was tried: no route",
    ),
    (lambda p, m: replace(m, capture_dropped=frozenset({"bank.1"})), "the capture in bank.1 lost packets"),
)


@pytest.mark.parametrize(("change", "text"), MISSING)
def test_each_condition_knocked_out_is_inconclusive_and_says_which(change: Change, text: str) -> None:
    p = planned()
    check = checks(p, change(p, honest(p)))[ID]
    assert (check.verdict, check.observed) == (Verdict.INCONCLUSIVE, "unknown")
    assert text in check.explanation


def test_the_table_knocks_out_every_condition() -> None:
    p = planned()
    hit = set()
    for change, _ in MISSING:
        facts = wires_facts(p, change(p, honest(p)))
        hit |= {condition.__name__ for condition in CONDITIONS if condition(facts, path(p, "secret-net"))}
    assert hit | {"vni_is_known"} == {condition.__name__ for condition in CONDITIONS}


def wires_facts(p: WirePlan, m: WireMeasurement):  # type: ignore[no-untyped-def]
    from swarmlab.probes.wire.facts import WireFacts

    return WireFacts(p, m)


def test_a_drop_counter_that_rises_at_the_peer_means_that_somebody_sends_cleartext() -> None:
    p = planned()
    m = honest(p)
    risen = tuple(replace(r, packets=4) if r.target == "DROP" else r for r in m.after["host2"].rules)
    check = checks(p, told(m, "host2", both=False, rules=risen))[ID]
    assert check.verdict is Verdict.INCONCLUSIVE
    assert "host2 dropped 4 packets of VNI 4098 in clear: some host sends them" in check.explanation


def test_an_unknown_vni_is_inconclusive() -> None:
    p = planned(networks=(wires.NETWORKS[0], wires.network("secret-net", True, "")))
    check = checks(p, honest(p))[ID]
    assert check.verdict is Verdict.INCONCLUSIVE
    assert "does not tell the network's VNI" in check.explanation


def test_without_any_plain_overlay_the_capture_is_not_proven() -> None:
    p = planned(pair(wires.BOTH[1]), networks=(wires.NETWORKS[1],))
    check = checks(p, honest(p))[ID]
    assert check.verdict is Verdict.INCONCLUSIVE
    assert "no plain overlay is carried from host1 to host2, so the capture is not proven" in check.explanation


def test_esp_of_one_encrypted_overlay_does_not_vouch_for_another() -> None:
    """Both share one association per pair of hosts; the second one's canary never arrived."""
    vault = tuple(
        replace(e, addresses=(*e.addresses, Address(f"10.0.3.{i}", "vault-net")))
        for i, e in enumerate(wires.ENDPOINTS, 2)
    )
    s = pair(*wires.BOTH, expect("vault-net", ENCRYPTED))
    p = planned(
        s,
        vault,
        (
            *wires.NETWORKS,
            NetworkEvidence("vault-net", "host1", found=True, id="id", properties={"encrypted": "true", VNIS: "4098"}),
        ),
    )
    lost = path(p, "vault-net").name
    found = checks(p, replace(honest(p), arrived=honest(p).arrived - {lost}), s)
    assert found[ID].verdict is Verdict.PASS
    check = found["wire:vault-net@host1->host2"]
    assert (check.verdict, check.observed) == (Verdict.INCONCLUSIVE, "unknown")
    assert (
        "the canary did not arrive at bank.1, so the ESP that was seen may be that of secret-net" in check.explanation
    )
    assert checks(p, honest(p), s)["wire:vault-net@host1->host2"].verdict is Verdict.PASS


# Cleartext is a violation, whatever else could not be measured.


def canary_in(where: Count) -> Change:
    return lambda p, m: seen(
        m,
        "host1",
        canaries_read=(*m.captures["host1"].canaries_read, CanaryHit(path(p, "secret-net").name, where, "GET /secret")),
    )


STRANGER = Count(
    interface="eth1",
    outgoing=True,
    source="10.9.9.1",
    target="10.9.9.9",
    kind="vxlan",
    number=VNI["secret-net"],
    packets=1,
)
LEAKS: tuple[tuple[Change, str], ...] = (
    (
        canary_in(count("host1", "host2", "vxlan", VNI["secret-net"])),
        "was read in clear as it left host1, in VXLAN 4098 to 172.30.0.2",
    ),
    (canary_in(count("host1", "host2", "esp", SPI["host1"])), "was read in clear as it left host1, in esp packets"),
    (canary_in(count("host1", "host2", "other", 17)), "in other packets to 172.30.0.2"),
    (
        lambda p, m: seen(
            m, "host1", counts=(*m.captures["host1"].counts, count("host1", "host2", "vxlan", VNI["secret-net"]))
        ),
        "3 VXLAN frames of VNI 4098 left host1 in clear for 172.30.0.2",
    ),
    (lambda p, m: seen(m, "host1", counts=(*m.captures["host1"].counts, STRANGER)), "left host1 in clear for 10.9.9.9"),
    (
        forged("secret-net", arrived=True),
        "host2 takes cleartext for it: a forged VXLAN frame in clear arrived at bank.1",
    ),
)


@pytest.mark.parametrize(("change", "text"), LEAKS)
@pytest.mark.parametrize("crippled", [False, True])
def test_cleartext_fails_even_when_all_else_is_unknown(change: Change, text: str, crippled: bool) -> None:
    p = planned()
    m = change(p, honest(p))
    if crippled:
        m = seen(
            replace(m, before={}, after={}, missing_features=dict.fromkeys(p.hosts, ("esp",)), dead={"host2": "gone"}),
            "host1",
            unseen=9,
        )
    check = checks(p, m)[ID]
    assert (check.verdict, check.observed) == (Verdict.FAIL, "clear")
    assert check.explanation.startswith("secret-net is not encrypted from host1 to host2: ")
    assert text in check.explanation
    assert checks(p, m)["wire:secret-net@host2->host1"].verdict is not Verdict.FAIL, (
        "the other direction is another check"
    )


def test_cleartext_to_a_host_that_has_no_part_in_the_overlay_is_a_leak() -> None:
    """No tunnel path leads to host3: whatever sends it frames there has gone astray."""
    p = planned()
    m = honest(p)
    m = replace(m, addresses={**m.addresses, "host3": frozenset({ADDRESSES["host3"]})})
    astray = count("host1", "host3", "vxlan", VNI["secret-net"])
    check = checks(p, seen(m, "host1", counts=(*m.captures["host1"].counts, astray)))[ID]
    assert check.verdict is Verdict.FAIL
    assert "left host1 in clear for 172.30.0.3" in check.explanation


def test_cleartext_that_only_the_receiver_sees_is_none() -> None:
    """Some kernels show decrypted packets to a capture at the receiver; and another direction's canary is another's."""
    p = planned()
    m = honest(p)
    where = count("host1", "host2", "vxlan", VNI["secret-net"], outgoing=False)
    m = seen(
        m,
        "host2",
        counts=(*m.captures["host2"].counts, where),
        canaries_read=(CanaryHit(path(p, "secret-net").name, where, "x"),),
    )
    assert checks(p, m)[ID].verdict is Verdict.PASS


# Plain overlays.


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (unread, "the capture on host1 did not read the canary; it arrived all the same"),
        (lambda p, m: replace(unread(p, m), arrived=frozenset()), "did not read the canary; it did not arrive either"),
        (lambda p, m: seen(unread(p, m), "host1", unseen=3), "the capture on host1 lost 3 packets"),
        (lambda p, m: replace(unread(p, m), dead={"host1": "host1: gone"}), "the agent is gone (host1: gone)"),
        (
            lambda p, m: replace(unread(p, m), unsent={path(p, "plain-net").name: "refused"}),
            "was not sent from shop.1 (refused)",
        ),
        (lambda p, m: without("vxlan")(p, unread(p, m)), "did not read the canary"),
    ],
)
def test_a_plain_canary_that_was_not_read_is_inconclusive(change: Change, text: str) -> None:
    p = planned()
    check = checks(p, change(p, honest(p)))["wire:plain-net@host1->host2"]
    assert (check.verdict, check.observed) == (Verdict.INCONCLUSIVE, "unknown")
    assert text in check.explanation


def test_a_canary_that_was_read_is_clear_whatever_else_was_lost() -> None:
    p = planned()
    assert checks(p, seen(honest(p), "host1", unseen=99))["wire:plain-net@host1->host2"].verdict is Verdict.PASS


def test_a_plain_overlay_that_should_be_encrypted_fails_and_is_named() -> None:
    s = pair(expect("plain-net", ENCRYPTED, derived=False), wires.BOTH[1])
    p = planned(s)
    found = checks(p, honest(p), s)
    assert found["wire:plain-net@host1->host2"].verdict is Verdict.FAIL
    assert "plain-net is not encrypted from host1 to host2" in found["wire:plain-net@host1->host2"].explanation
    ids = {f.id for f in wire_findings(p, honest(p), tuple(found.values()))}
    assert ids == {"cleartext:plain-net@host1", "cleartext:plain-net@host2"}


def test_an_encrypted_overlay_that_should_be_clear_fails() -> None:
    s = pair(wires.BOTH[0], expect("secret-net", CLEAR, derived=False))
    p = planned(s)
    check = checks(p, honest(p), s)[ID]
    assert (check.verdict, check.observed) == (Verdict.FAIL, "encrypted")
    assert check.explanation == "secret-net is encrypted from host1 to host2: nothing but ESP left."
    without_esp = checks(p, replace(honest(p), missing_features={"host1": ("esp",)}), s)[ID]
    assert without_esp.verdict is Verdict.INCONCLUSIVE


def test_what_somebody_wrote_about_an_overlay_that_nothing_carries_is_inconclusive() -> None:
    s = pair(expect("plain-net", CLEAR, derived=False), expect("secret-net", ENCRYPTED))
    p = planned(s, endpoints=(wires.ENDPOINTS[0],))
    assert {c.id: c.verdict for c in judge_wire(s, p, WireMeasurement())} == {"wire:plain-net": Verdict.INCONCLUSIVE}


# Findings.


def test_esp_that_leaves_and_never_arrives_is_blocked() -> None:
    p = planned()
    m = honest(p)
    kept = tuple(c for c in m.captures["host2"].counts if c.outgoing or c.kind != "esp")
    m = seen(replace(m, arrived=m.arrived - {path(p, "secret-net").name}), "host2", counts=kept)
    assert findings(p, m) == {"esp-lost:host1->host2": "connectivity"}
    check = checks(p, m)[ID]
    assert (check.verdict, check.observed) == (Verdict.INCONCLUSIVE, "unknown"), "who knows what that ESP was"
    assert "the canary did not arrive at bank.1, so the ESP that was seen may be another's" in check.explanation
    assert findings(p, seen(m, "host2", unseen=1)) == {}, "a capture that lost packets cannot say so"
    assert findings(p, seen(m, "host2", canaries_read=())) == {}, "nor one into which nothing came"


def test_esp_that_a_hosts_own_filter_drops_is_blocked_too() -> None:
    p = planned()
    m = honest(p)
    gone = seen(m, "host1", counts=tuple(c for c in m.captures["host1"].counts if c.kind != "esp" or not c.outgoing))
    (finding,) = wire_findings(p, gone, ())
    assert (finding.id, "host1's own packet filter drops it" in finding.title) == ("esp-lost:host1->host2", True)
    m = replace(m, arrived=m.arrived - {path(p, "secret-net").name})
    assert findings(p, m) == {}, "host2 decrypted something"
    old = m.before["host2"].associations
    same = tuple(
        b if b.target == ADDRESSES["host2"] else a for a, b in zip(m.after["host2"].associations, old, strict=True)
    )
    (finding,) = wire_findings(p, told(m, "host2", both=False, associations=same), ())
    assert (finding.id, "host2's own packet filter drops it" in finding.title) == ("esp-lost:host1->host2", True)


def test_cleartext_of_one_host_does_not_cast_doubt_on_another() -> None:
    """host1 leaks to host2, whose DROP counter rises; host3's ESP to host2 is proven all the same."""
    third = replace(wires.ENDPOINTS[0], id="shop.2", host="host3")
    p = planned(endpoints=(*wires.ENDPOINTS, third))
    m = honest(p)
    risen = tuple(replace(r, packets=4) if r.target == "DROP" else r for r in m.after["host2"].rules)
    m = told(m, "host2", both=False, rules=risen)
    doubtful = checks(p, m)["wire:secret-net@host3->host2"]
    assert (doubtful.verdict, "some host sends them" in doubtful.explanation) == (Verdict.INCONCLUSIVE, True)
    found = checks(p, canary_in(count("host1", "host2", "vxlan", VNI["secret-net"]))(p, m))
    assert found[ID].verdict is Verdict.FAIL
    assert found["wire:secret-net@host3->host2"].verdict is Verdict.PASS


def test_faults_of_the_kernel_are_named() -> None:
    p = planned()
    m = honest(p)
    assert findings(p, rules("host1", "MARK")(p, m)) == {"mark-missing:secret-net@host1": "confidentiality"}
    assert "xfrm-empty:host1->host2" in findings(p, told(m, "host1", associations=()))
    assert findings(p, replace(m, missing_features={"host1": ("esp",), "host2": ("esp",)})) == {"no-esp": "info"}
    strange = tuple(a for a in m.after["host2"].associations if a.target != ADDRESSES["host2"])
    assert "spi-unknown:host1->host2" in findings(p, told(m, "host2", associations=strange))
    assert findings(p, forged("secret-net", arrived=True)(p, m)) == {"injectable:secret-net@host2": "isolation"}
    leak = canary_in(count("host1", "host2", "vxlan", VNI["secret-net"]))(p, m)
    assert findings(p, leak) == {"cleartext:secret-net@host1": "confidentiality"}
    both = {"injectable:secret-net@host2": "isolation", "cleartext:secret-net@host1": "confidentiality"}
    assert findings(p, forged("secret-net", arrived=True)(p, leak)) == both, "one host sends in clear, another takes it"
