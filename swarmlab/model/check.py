"""A check: an expectation, the evidence, and the verdict that follows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from swarmlab.model.check_evidence.base import CheckEvidence, NothingMeasured


class Verdict(str, Enum):
    """Pass and fail are proven; everything else is inconclusive. ERROR is for a run that did not get that far."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of the report. `source` and `target` are endpoint ids (report: `from`, `to`), or hosts for kind network.

    `kind` is the name of a row of `model.kinds`, or one that only a later version knows; `explanation` is one or two
    sentences for a person.
    """

    id: str
    kind: str
    source: str
    target: str
    network: str
    protocol: str
    port: int
    expected: str
    observed: str
    verdict: Verdict
    because: str
    explanation: str = ""
    source_service: str = ""
    target_service: str = ""
    source_host: str = ""
    target_host: str = ""
    evidence: CheckEvidence = field(default_factory=NothingMeasured)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A named fault: where it is, how bad, what to do, and how we know."""

    id: str
    severity: str  # one of SEVERITIES
    title: str
    hosts: tuple[str, ...]
    layer: str
    fix: str
    source: str


SEVERITIES = ("isolation", "confidentiality", "connectivity", "flaky", "info")  # the worst first


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """What can be read or reached by strangers comes before what cannot be reached."""
    return tuple(sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), f.id)))
