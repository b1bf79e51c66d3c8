"""Named faults of the wire: each fault of a host once, and no more than is known."""

from __future__ import annotations

from dataclasses import replace

from swarmlab.model.check import Verdict
from swarmlab.probes.wire.findings import wire_findings
from tests.unit.probes import wires
from tests.unit.probes.wire_changes import ID, canary_in, checks, findings, forged, rules
from tests.unit.probes.wires import ADDRESSES, VNI, count, honest, path, planned, seen, told


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
