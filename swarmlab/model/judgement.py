"""What follows from evidence for one expectation: every stage's rules end in this one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from swarmlab.model.check import Verdict

UNKNOWN = "unknown"  # what is said to be observed where nothing is proven


@dataclass(frozen=True)
class Judgement:
    """`observed` is one of the kind's own words; `explanation` one or two sentences for a person, "" where none is
    needed; `controls` the exchanges of the same run that give it weight.
    """

    verdict: Verdict
    observed: str
    explanation: str = ""
    controls: Sequence[Mapping[str, object]] = ()


def proven(observed: str, explanation: str = "", controls: Sequence[Mapping[str, object]] = ()) -> Judgement:
    """It holds, and that is shown."""
    return Judgement(Verdict.PASS, observed, explanation, controls)


def violated(observed: str, explanation: str) -> Judgement:
    """It does not hold, and that is shown."""
    return Judgement(Verdict.FAIL, observed, explanation)


def unproven(explanation: str, controls: Sequence[Mapping[str, object]] = ()) -> Judgement:
    """Neither is shown; the explanation says what is missing."""
    return Judgement(Verdict.INCONCLUSIVE, UNKNOWN, explanation, controls)
