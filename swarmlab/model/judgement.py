"""What follows from evidence for one expectation: every stage's rules end in this one value."""

from __future__ import annotations

from dataclasses import dataclass

from swarmlab.model.check import Verdict
from swarmlab.model.check_evidence.control import Control

UNKNOWN = "unknown"  # what is said to be observed where nothing is proven


@dataclass(frozen=True)
class Judgement:
    """`observed` is one of the kind's own words; `explanation` one or two sentences for a person, "" where none is
    needed; `controls` the exchanges of the same run that give it weight.
    """

    verdict: Verdict
    observed: str
    explanation: str = ""
    controls: tuple[Control, ...] = ()


def proven(observed: str, explanation: str = "", controls: tuple[Control, ...] = ()) -> Judgement:
    """It holds, and that is shown."""
    return Judgement(Verdict.PASS, observed, explanation, controls)


def violated(observed: str, explanation: str) -> Judgement:
    """It does not hold, and that is shown."""
    return Judgement(Verdict.FAIL, observed, explanation)


def unproven(explanation: str, controls: tuple[Control, ...] = ()) -> Judgement:
    """Neither is shown; the explanation says what is missing."""
    return Judgement(Verdict.INCONCLUSIVE, UNKNOWN, explanation, controls)


def not_proven(*missing: str, controls: tuple[Control, ...] = ()) -> Judgement:
    """Neither is shown, since these conditions are not met.

    >>> not_proven("no ESP was seen", "the peer has no rule").explanation
    'Not proven: no ESP was seen; the peer has no rule.'
    """
    return unproven(f"Not proven: {'; '.join(dict.fromkeys(missing))}.", controls)


def not_measured(why: str) -> Judgement:
    """Neither is shown, since nothing was measured that could show it.

    >>> not_measured("the sender is gone").explanation
    'Not measured: the sender is gone.'
    """
    return unproven(f"Not measured: {why}.")
