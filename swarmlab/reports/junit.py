"""The report as JUnit XML. Continuous integration must not be green on what was not proven: inconclusive is an error
there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from xml.etree import ElementTree as Xml  # write only: nothing is ever parsed here

from swarmlab.model.check import Check, Verdict
from swarmlab.model.matrix import EngineMatrix
from swarmlab.model.report import Report
from swarmlab.reports.text import clean

_NOT_XML = re.compile("[^\\x09\\x0a\\x0d\\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, §2.2
# How each verdict that is not a pass appears: element and its `type`.
ELEMENT = {
    Verdict.FAIL: ("failure", "violated"),
    Verdict.INCONCLUSIVE: ("error", "inconclusive"),
    Verdict.ERROR: ("error", "error"),
}


def xml_text(text: object) -> str:
    """Cleaned text without the characters that XML 1.0 cannot hold."""
    return _NOT_XML.sub("", clean(text))


def title(check: Check) -> str:
    """What is checked, for a person: `front.1 -> db.1 on back tcp:5432 deny`."""
    channel = check.protocol + (f":{check.port}" if check.port else "")
    parts = [
        f"{check.source} -> {check.target}" if check.target else check.source,
        f"on {check.network}" if check.network else "",
        channel,
    ]
    return " ".join(part for part in [*parts, check.expected] if part)


def _details(check: Check) -> str:
    rows = [("expected", check.expected), ("observed", check.observed), ("because", check.because)]
    rows += [("from", f"{check.source} on {check.source_host}"), ("to", f"{check.target} on {check.target_host}")]
    rows += [(key, str(value)) for key, value in check.evidence.to_json().items()]
    return "\n".join(f"{key}: {value}" for key, value in rows)


def _suite(
    parent: Xml.Element, name: str, cases: int, verdicts: Iterable[Verdict], seconds: float = 0.0
) -> Xml.Element:
    count = Counter(verdicts)
    attributes = {
        "name": xml_text(name),
        "tests": str(cases),
        "failures": str(count[Verdict.FAIL]),
        "errors": str(count[Verdict.INCONCLUSIVE] + count[Verdict.ERROR]),
        "skipped": "0",
        "time": f"{seconds:.3f}",
    }
    return Xml.SubElement(parent, "testsuite", attributes)


def _case(suite: Xml.Element, check: Check, name: str) -> None:
    pair = [check.kind, check.source_service or check.source, check.target_service or check.target]
    case = Xml.SubElement(
        suite, "testcase", {"classname": xml_text(".".join(filter(None, pair))), "name": xml_text(name), "time": "0"}
    )
    if check.verdict in ELEMENT:
        tag, kind = ELEMENT[check.verdict]
        message = check.explanation or f"expected {check.expected}, observed {check.observed}"
        Xml.SubElement(case, tag, {"type": kind, "message": xml_text(message)}).text = xml_text(_details(check))


def _whole(root: Xml.Element, kind: str, message: str, head: str) -> None:
    """A case for the run itself: it crashed, or it checked nothing, and neither may look green."""
    suite = _suite(root, f"{head}swarmlab", 1, [Verdict.ERROR])
    case = Xml.SubElement(suite, "testcase", {"classname": "swarmlab", "name": "swarmlab", "time": "0"})
    Xml.SubElement(case, "error", {"type": kind, "message": xml_text(message)}).text = xml_text(message)


def to_xml(*reports: Report) -> str:
    """One test suite per kind (and lab, when there are several), one test case per check; the document as text."""
    root = Xml.Element(
        "testsuites", {"name": xml_text(f"swarmlab {' '.join(report.lab for report in reports)}".strip())}
    )
    for report in reports:
        _report(root, report, f"{report.lab}: " if len(reports) > 1 else "")
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def matrix_to_xml(matrix: EngineMatrix) -> str:
    """All runs of a matrix in one document; what ended it early is a case of its own."""
    ended = Report(matrix.scenario, matrix.scenario, matrix.provider, error=matrix.error)
    return to_xml(*(run.report for run in matrix.runs), *([ended] if matrix.error else []))


def _report(root: Xml.Element, report: Report, head: str) -> None:
    for kind in dict.fromkeys(check.kind for check in report.checks):
        checks = [check for check in report.checks if check.kind == kind]
        suite = _suite(root, head + kind, len(checks), (check.verdict for check in checks))
        alike = Counter(title(check) for check in checks)
        for check in checks:
            _case(suite, check, title(check) + (f" [{check.id}]" if alike[title(check)] > 1 else ""))
    if report.error:
        _whole(root, "error", report.error, head)
    elif not report.checks:
        _whole(root, "inconclusive", "nothing was checked", head)
