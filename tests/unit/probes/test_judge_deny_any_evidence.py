"""Whatever the evidence, a deny passes only on all conditions."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from swarmlab.model.check import Verdict
from swarmlab.model.evidence import Evidence, Outcome
from swarmlab.model.probe import Endpoint, Probe
from tests.unit.probes.deny_changes import denied, evidences, proven, silent, verdict
from tests.unit.probes.labs import THREE_TIER, changed, find, judge


@settings(max_examples=400, deadline=None)
@given(
    own=evidences,
    to_db=st.lists(evidences, min_size=2, max_size=2),
    by_front=st.lists(evidences, min_size=2, max_size=2),
    impaired=st.sampled_from(["", "", "front.1", "db.1"]),
    dead=st.sampled_from(["", "", "host1", "host3"]),
    carried=st.booleans(),
)
def test_a_deny_never_passes_unless_all_conditions_hold(
    own: Evidence, to_db: list[Evidence], by_front: list[Evidence], impaired: str, dead: str, carried: bool
) -> None:
    p, m = proven()
    if not carried:
        p, m = silent(("front.1", "api.2"), ("control@host1", "control@host3"), protocol="any", both=True)((p, m))
    peers = [find(p, "api.1", "db.1"), find(p, "api.2", "db.1")]
    friends = [find(p, "front.1", "api.1"), find(p, "front.1", "api.2")]
    given_ = [
        replace(e, probe=x.id) for e, x in zip([own, *to_db, *by_front], [denied(p), *peers, *friends], strict=True)
    ]
    m = replace(changed(m, *given_), dead_hosts={dead: "x"} if dead else {})
    if impaired:
        p = replace(p, endpoints={**p.endpoints, impaired: replace(p.endpoints[impaired], impaired="paused")})

    def good(e: Evidence, x: Probe) -> bool:
        return e.outcome is Outcome.ANSWERED and e.responder == x.target

    conditions = (
        not impaired,
        not dead,
        own.outcome not in (Outcome.SENDER_DEAD, Outcome.LISTENER_DEAD, Outcome.SEND_ERROR),
        not (own.outcome is Outcome.ANSWERED and own.responder == "db.1"),
        own.seen is False,
        own.lost_records == 0 or own.outcome is Outcome.NO_ROUTE,
        own.left is True or own.asked is True or own.outcome is Outcome.NO_ROUTE,
        any(good(e, x) for e, x in zip(to_db, peers, strict=True)),
        any(good(e, x) for e, x in zip(by_front, friends, strict=True)),
        # front.1 and api.2 stand on these two hosts; another protocol's answer between them would do as well.
        carried or good(by_front[1], friends[1]),
    )
    check = verdict(p, m)
    assert (check.verdict is Verdict.PASS) == all(conditions), check.explanation
    violated = own.seen is True or (own.outcome is Outcome.ANSWERED and own.responder == "db.1")
    assert (check.verdict is Verdict.FAIL) == violated


def test_endpoints_of_the_lab_are_complete() -> None:
    """Guards the tests above: the honest measurement of the example really is all green."""
    p, m = proven()
    assert {c.verdict for c in judge(THREE_TIER, p, m)} == {Verdict.PASS}
    assert isinstance(p.endpoints["db.1"], Endpoint)
