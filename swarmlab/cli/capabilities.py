"""Which provider has what: the table that `plan` and `doctor` show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from swarmlab.cli.show import columns
from swarmlab.reports.text import line, plural
from swarmlab.scenario.needs import WORDS

if TYPE_CHECKING:
    from swarmlab.lab.capabilities import Capabilities
    from swarmlab.providers import Availability

YES = {True: "yes", False: "no", None: "not known"}


def table(every: Sequence[Capabilities]) -> Iterator[str]:
    """A row for each provider; then each distinct reason."""
    rows = [["provider", "hosts", *WORDS.values()]]
    rows += [[found.provider, _hosts(found), *(_word(found, feature) for feature in WORDS)] for found in every]
    yield from columns(rows)
    for found in every:
        for problem in found.problems:
            yield "  " + line(f"{found.provider}: {problem.text}")
        for feature, known in found.features.items():
            yield "  " + line(f"{found.provider}: {WORDS[feature]} {YES[known.has]}: {known.why}")


def as_rows(every: Sequence[Capabilities]) -> list[dict[str, Any]]:
    """For --format json."""
    return [
        {
            "provider": found.provider,
            "hosts": {
                "has": found.most != 0,
                "most": found.most,
                "why": "; ".join(problem.text for problem in found.problems),
            },
            **{feature: _row(found.features.get(feature)) for feature in WORDS},
        }
        for found in every
    ]


def _row(known: Availability | None) -> dict[str, Any]:
    return {"has": known.has, "why": known.why} if known else {"has": False, "why": "it cannot make hosts here"}


def _hosts(found: Capabilities) -> str:
    if found.problems:
        return "no"
    return "yes" if found.most is None else f"yes, up to {plural(found.most, 'host')}".removesuffix(" hosts")


def _word(found: Capabilities, feature: str) -> str:
    return YES[found.features[feature].has] if feature in found.features else "-"
