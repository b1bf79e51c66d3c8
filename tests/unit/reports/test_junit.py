"""JUnit: a pipeline is green only on what was proven."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as Xml

from hypothesis import given
from hypothesis import strategies as st

from swarmlab.model.check import Verdict
from swarmlab.model.check_evidence.base import PlainEvidence
from swarmlab.model.report import Report
from swarmlab.reports.junit import to_xml
from tests.unit.reports import samples


def parsed(report: Report) -> Xml.Element:
    """The document as a consumer reads it."""
    return Xml.fromstring(to_xml(report).encode())


def bad(report: Report) -> list[Xml.Element]:
    """What makes a pipeline red."""
    root = parsed(report)
    return [*root.iter("failure"), *root.iter("error")]


def test_one_suite_per_kind_one_case_per_check() -> None:
    root = parsed(samples.passed())
    assert {suite.get("name"): suite.get("tests") for suite in root.iter("testsuite")} == {"reach": "60", "name": "24"}
    assert len(list(root.iter("testcase"))) == 84
    assert not bad(samples.passed())


def test_cases_have_names_of_their_own() -> None:
    names = [(case.get("classname"), case.get("name")) for case in parsed(samples.passed()).iter("testcase")]
    assert len(set(names)) == len(names)
    assert ("reach.front.db", "front.1 -> db.1 on back tcp:41000 deny") in names


def test_a_violation_is_a_failure() -> None:
    (first, *_), suite = (
        list(parsed(samples.leaked()).iter("failure")),
        next(parsed(samples.leaked()).iter("testsuite")),
    )
    assert first.get("message") == "front.1 reached 10.0.2.3 of db.1, and db.1 answered, although it must not."
    assert "because: front and db share no network" in (first.text or "")
    assert (suite.get("failures"), suite.get("errors")) == ("3", "0")


def test_inconclusive_is_never_green() -> None:
    found = bad(samples.not_proven())
    assert len(found) == 6
    assert {(element.tag, element.get("type")) for element in found} == {("error", "inconclusive")}


def test_a_crash_and_an_empty_run_are_never_green() -> None:
    (crash,) = bad(samples.crashed())
    assert crash.get("message") == "host2: cannot be reached any more: timed out after 10 s"
    (empty,) = bad(replace(samples.passed(), checks=()))
    assert empty.get("type") == "inconclusive"


def test_counts_agree_with_the_cases() -> None:
    for report in (samples.passed(), samples.mixed(), samples.crashed()):
        for suite in parsed(report).iter("testsuite"):
            assert int(suite.get("tests", "")) == len(list(suite.iter("testcase")))
            assert int(suite.get("failures", "")) == len(list(suite.iter("failure")))
            assert int(suite.get("errors", "")) == len(list(suite.iter("error")))


@given(st.text(st.characters(codec=None), max_size=40))
def test_any_text_gives_a_document_that_can_be_parsed(text: str) -> None:
    one = replace(
        samples.passed().checks[0],
        verdict=Verdict.FAIL,
        source=text,
        target=text,
        kind=text,
        explanation=text,
        because=text,
        evidence=PlainEvidence(values={text: text}),
        network=text,
        protocol=text,
        id=text,
    )
    report = replace(samples.passed(), lab=text, error=text, checks=(one, replace(one, verdict=Verdict.INCONCLUSIVE)))
    assert len(bad(report)) == (3 if text else 2)


def test_control_characters_of_hosts_are_gone() -> None:
    one = replace(samples.leaked().checks[0], verdict=Verdict.FAIL, explanation="\x1b[31mbad\x1b[0m\x00\x08 & <b>")
    (failure,) = bad(replace(samples.passed(), checks=(one,)))
    assert failure.get("message") == "bad & <b>"
