"""Plain overlays, and what somebody wrote about an overlay that the file does not say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from swarmlab.model.check import Verdict
from swarmlab.model.kinds import CLEAR, ENCRYPTED
from swarmlab.model.wire import WireMeasurement
from swarmlab.probes.wire.findings import wire_findings
from swarmlab.probes.wire.judge import judge_wire
from tests.unit.probes import wires
from tests.unit.probes.wire_changes import ID, Change, checks, unread, without
from tests.unit.probes.wires import expect, honest, pair, path, planned, seen


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
