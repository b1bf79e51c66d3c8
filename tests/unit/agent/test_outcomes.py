"""One vocabulary on both sides, and every errno in its place."""

from __future__ import annotations

import errno

import pytest

from swarmlab.agent.probing import outcomes
from swarmlab.agent.probing.evidence import explained
from swarmlab.agent.protocol.nonce import ANSWER, answer, nonce, read_nonce
from swarmlab.model.evidence import Outcome

RUN = "0123456789abcdef"


def test_every_outcome_is_one_that_the_model_knows() -> None:
    known = {outcome.value for outcome in Outcome}
    tables = [*outcomes.AT_ONCE.values(), *outcomes.LATER.values()]
    assert {outcome for outcome, _ in tables} <= known
    assert {outcomes.ANSWERED, outcomes.TIMED_OUT, outcomes.SENDER_DEAD} <= known


@pytest.mark.parametrize(
    ("number", "outcome"),
    [
        (errno.ENETUNREACH, "no_route"),
        (errno.EHOSTUNREACH, "no_route"),
        (errno.EPERM, "send_error"),
        (errno.ENOBUFS, "send_error"),
        (errno.EADDRNOTAVAIL, "send_error"),
        (12345, "send_error"),
    ],
)
def test_what_our_own_kernel_refused_is_never_a_time_out(number: int, outcome: str) -> None:
    assert outcomes.at_once(number)[0] == outcome


def test_the_same_errno_means_another_thing_when_it_comes_later() -> None:
    assert outcomes.at_once(errno.EHOSTUNREACH)[0] == "no_route"
    assert outcomes.later(errno.EHOSTUNREACH)[0] == "unreachable"


@pytest.mark.parametrize(("full", "outcome"), [(True, "send_error"), (False, "timed_out")])
def test_silence_without_even_an_arp_question_is_explained(full: bool, outcome: str) -> None:
    found = explained("timed_out", False, False, "", full)
    assert found[0] == outcome and "neighbour table" in found[2]


@pytest.mark.parametrize(("left", "asked"), [(True, False), (None, False), (False, True), (False, None)])
def test_any_other_silence_stays_a_time_out(left: bool | None, asked: bool | None) -> None:
    assert explained("timed_out", left, asked, "", True) == ("timed_out", asked, "")


def test_unreachable_although_nothing_left_was_arp() -> None:
    assert explained("unreachable", False, False, "", False) == ("unreachable", True, "ARP got no answer")


def test_a_nonce_is_read_by_its_own_run_only() -> None:
    assert len(nonce(RUN, 7)) == 16
    assert read_nonce(nonce(RUN, 7), RUN) == (7, "")
    assert read_nonce(nonce(RUN, 7), "f" * 16) is None
    assert read_nonce(answer(RUN, 7, "db.1"), RUN) is None
    assert read_nonce(answer(RUN, 7, "db.1"), RUN, ANSWER) == (7, "db.1")
    assert read_nonce(nonce(RUN, 7)[:15], RUN) is None
