"""The truth table of the wire: encrypted passes only when every condition holds, and each one knocked out says what is
missing.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from swarmlab.model.check import Verdict
from swarmlab.model.evidence import NetworkEvidence
from swarmlab.model.kinds import CLEAR, ENCRYPTED
from swarmlab.model.probe import Address
from swarmlab.model.wire import CanaryHit, Count, WireMeasurement, WirePlan
from swarmlab.probes.wire.conditions import CONDITIONS
from swarmlab.probes.wire.plan import VNIS
from tests.unit.probes import wires
from tests.unit.probes.wire_changes import ID, Change, canary_in, checks, findings, forged, rules, spi, unread, without
from tests.unit.probes.wires import ADDRESSES, SPI, VNI, count, expect, honest, pair, path, planned, seen, told


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
