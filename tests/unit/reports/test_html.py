"""The page: the same matrix, and nothing in it comes alive."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmlab.model.check import Finding, Verdict
from swarmlab.model.check_evidence.base import PlainEvidence
from swarmlab.model.report import Report
from swarmlab.reports.html import to_html
from tests.unit.reports import samples

TAGS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "h1",
    "h2",
    "h3",
    "p",
    "strong",
    "table",
    "tr",
    "th",
    "td",
    "span",
    "section",
}
TAGS |= {"dl", "dt", "dd", "pre"}


class Tags(HTMLParser):
    """Collects elements, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.cells: list[str] = []
        self._in_cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self._in_cell = tag == "td"

    def handle_data(self, data: str) -> None:
        if self._in_cell and data.strip():
            self.cells.append(data)
        self._in_cell = False


def test_the_matrix_is_the_consoles() -> None:
    assert Tags(to_html(samples.mixed())).cells == [
        "from, to",
        "ok",
        "ok",
        "XX 3/6",
        "ok",
        "ok",
        "ok",
        "?? 3/6",
        "ok",
        ".",
    ]


@pytest.mark.parametrize(
    ("report", "word"),
    [
        (samples.passed(), "PASS"),
        (samples.leaked(), "FAIL"),
        (samples.not_proven(), "NOT PROVEN"),
        (samples.crashed(), "ERROR"),
    ],
)
def test_the_verdict_is_there(report: Report, word: str) -> None:
    assert f">{word}</strong>" in to_html(report)


@given(st.text(max_size=30) | st.sampled_from(["<script>x</script>", '"><img src=x onerror=y>', "</style><b>", "&lt;"]))
def test_texts_stay_texts(text: str) -> None:
    one = replace(
        samples.leaked().checks[0],
        verdict=Verdict.FAIL,
        source_service=text,
        target_service=text,
        because=text,
        explanation=text,
        evidence=PlainEvidence(values={text: text}),
    )
    finding = Finding(id=text, severity=text, title=text, hosts=(text,), layer=text, fix=text, source=text)
    page = Tags(
        to_html(replace(samples.passed(), lab=text, error=text, checks=(one,), findings=(finding,), services=(text,)))
    )
    assert page.tags <= TAGS
    assert page.attributes <= {"lang", "charset", "class"}
