"""Checks that did not pass, put together when they say the same thing: a person reads ten explanations, not a
thousand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from swarmlab.model.check import Check, Verdict
from swarmlab.model.report import Report
from swarmlab.reports.matrix import ends

MOST = 10


@dataclass(frozen=True)
class Group:
    """Checks with one verdict and one explanation; the first stands for all."""

    checks: tuple[Check, ...]

    @property
    def first(self) -> Check:
        """The one whose evidence is shown."""
        return self.checks[0]

    def distinct(self, value: Callable[[Check], str]) -> tuple[str, ...]:
        """Every value that occurs, each once, in order."""
        return tuple(dict.fromkeys(text for check in self.checks if (text := value(check))))


def about(check: Check) -> str:
    """Whom it is about: both services, or the network alone where a host's engine was asked about one."""
    if check.source and check.source == check.source_host:
        return check.target
    return " -> ".join(filter(None, ends(check)))


def where(check: Check) -> str:
    """The hosts at both ends, or the one that was asked."""
    return " -> ".join(filter(None, (check.source_host, check.target_host)))


def masked(check: Check) -> str:
    """The explanation without what differs from task to task, so that the same fault reads the same."""
    text = check.explanation
    for name in sorted(filter(None, (check.source, check.target)), key=len, reverse=True):
        text = text.replace(name, "@")
    return re.sub(r"\b(tcp|udp|icmp)\b", "~", re.sub(r"\d+", "#", text), flags=re.IGNORECASE)


def _finest(check: Check) -> Hashable:
    return (*_middle(check), "" if check.source == check.source_host else where(check))


def _middle(check: Check) -> tuple[str, ...]:
    return (check.verdict, check.kind, about(check), check.network, check.expected, check.observed, masked(check))


def _coarsest(check: Check) -> Hashable:
    return (check.verdict, check.kind, masked(check))


def _grouped(checks: Sequence[Check], key: Callable[[Check], Hashable]) -> list[Group]:
    found: dict[Hashable, list[Check]] = {}
    for check in checks:
        found.setdefault(key(check), []).append(check)
    return [Group(tuple(group)) for group in found.values()]


def groups(report: Report) -> list[Group]:
    """Violations first, then what could not be proven: by service pair and host pair, by less when that gives too
    many.
    """
    order = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.ERROR)
    checks = [check for verdict in order for check in report.checks if check.verdict is verdict]
    for key in (_finest, _middle):
        found = _grouped(checks, key)
        if len(found) <= MOST:
            return found
    return _grouped(checks, _coarsest)
