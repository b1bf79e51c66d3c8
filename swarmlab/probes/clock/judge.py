"""When clocks agree: each against the median of all that could be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median

from swarmlab.model.check import Check
from swarmlab.model.expectation import Expectation
from swarmlab.model.ids import check_id
from swarmlab.model.judgement import Judgement, proven, unproven, violated
from swarmlab.model.kinds import Kind
from swarmlab.probes.clock.evidence import ClockEvidence
from swarmlab.probes.clock.run import Reading

AGREES, DIFFERS = "agrees", "differs"
# A manager dates a node's certificate back by one hour (swarmkit, ca/certificates.go, CertBackdate), so that a node
# whose clock is behind by less takes it. Within half of that of the median, no two hosts are further apart than it.
LIMIT = 1800.0  # seconds


def clock_checks(readings: Mapping[str, Reading], expectation: Expectation) -> Iterator[Check]:
    """One check for each host; a single host has nobody to agree with."""
    offsets = {host: reading.offset for host, reading in readings.items() if reading.offset is not None}
    middle = median(offsets.values()) if offsets else 0.0
    # The median moves with the clocks that it is made of: its error is at most the largest of theirs.
    largest = max((readings[host].error for host in offsets), default=0.0)
    for host, reading in readings.items() if len(readings) > 1 else ():
        shown = ClockEvidence(
            ahead_s=None if reading.offset is None else round(reading.offset - middle, 3),
            error_s=round(reading.error + largest, 3),
            limit_s=LIMIT,
            compared=tuple(offsets),
        )
        yield _check(expectation, host, judge(reading, shown), shown)


def judge(reading: Reading, shown: ClockEvidence) -> Judgement:
    """Beyond the limit, or within it, whatever the error of reading it; else it is not proven."""
    if shown.ahead_s is None:
        return unproven(f"The clock of {reading.host} could not be read: {reading.why}.")
    if len(shown.compared) < 2:
        return unproven(f"No other clock could be read to compare that of {reading.host} with.")
    away, limit = abs(shown.ahead_s), f"the limit is {LIMIT:.0f} s"
    way = "ahead of" if shown.ahead_s > 0 else "behind"
    where = f"The clock of {reading.host} is {away:.1f} s {way} the median of {len(shown.compared)} hosts"
    if away - shown.error_s > LIMIT:
        return violated(DIFFERS, f"{where}, and {limit}.")
    if away + shown.error_s > LIMIT:
        return unproven(f"{where}, give or take {shown.error_s:.1f} s, and {limit}.")
    return proven(AGREES)


def _check(e: Expectation, host: str, judged: Judgement, shown: ClockEvidence) -> Check:
    return Check(
        id=check_id(Kind.CLOCK, host),
        kind=str(Kind.CLOCK),
        source=host,
        target=host,
        network="",
        protocol="",
        port=0,
        expected=e.expected,
        observed=judged.observed,
        verdict=judged.verdict,
        because=e.because,
        explanation=judged.explanation,
        source_host=host,
        evidence=shown,
    )
