"""Which provider has what: the table that `plan` and `doctor` show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from swarmlab.cli.show import columns
from swarmlab.reports.text import line, plural
from swarmlab.scenario.needs import WORDS

if TYPE_CHECKING:
    from swarmlab.providers.kernel import Answer, Offer

YES = {True: "yes", False: "no", None: "not known"}


def table(offers: Sequence[Offer]) -> Iterator[str]:
    """A row for each provider; then each distinct reason."""
    rows = [["provider", "hosts", *WORDS.values()]]
    rows += [[offer.provider, _hosts(offer), *(_word(offer, feature) for feature in WORDS)] for offer in offers]
    yield from columns(rows)
    for offer in offers:
        for problem in offer.problems:
            yield "  " + line(f"{offer.provider}: {problem.text}")
        for feature, answer in offer.features.items():
            yield "  " + line(f"{offer.provider}: {WORDS[feature]} {YES[answer.has]}: {answer.why}")


def as_rows(offers: Sequence[Offer]) -> list[dict[str, Any]]:
    """For --format json."""
    return [
        {
            "provider": offer.provider,
            "hosts": {
                "has": offer.most != 0,
                "most": offer.most,
                "why": "; ".join(problem.text for problem in offer.problems),
            },
            **{feature: _row(offer.features.get(feature)) for feature in WORDS},
        }
        for offer in offers
    ]


def _row(answer: Answer | None) -> dict[str, Any]:
    return {"has": answer.has, "why": answer.why} if answer else {"has": False, "why": "it cannot make hosts here"}


def _hosts(offer: Offer) -> str:
    if offer.problems:
        return "no"
    return "yes" if offer.most is None else f"yes, up to {plural(offer.most, 'host')}".removesuffix(" hosts")


def _word(offer: Offer, feature: str) -> str:
    return YES[offer.features[feature].has] if feature in offer.features else "-"
