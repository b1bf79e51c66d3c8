"""What a person sees at 80 columns without colour: the exact text is the interface."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from swarmlab.model.check import Check, Finding, Verdict
from swarmlab.model.check_evidence.base import PlainEvidence
from swarmlab.model.check_evidence.wire import WireEvidence
from swarmlab.model.report import Report
from swarmlab.reports.console import as_text, render
from tests.unit.reports import samples

ALL = {
    "pass": samples.passed(),
    "violation": samples.leaked(),
    "inconclusive": samples.not_proven(),
    "mixed": samples.mixed(),
    "twelve services": samples.wide(),
    "forty services": samples.wide(40),
    "crashed": samples.crashed(),
    "nothing measured": replace(samples.passed(), checks=()),
}


@pytest.mark.parametrize("name", ALL)
def test_exact_text(name: str, snapshot: SnapshotAssertion) -> None:
    assert as_text(ALL[name]) == snapshot


@pytest.mark.parametrize("width", [80, 100, 132])
@pytest.mark.parametrize("name", ALL)
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    assert max(map(len, as_text(ALL[name], width).splitlines())) <= width


def row(report: Report, service: str) -> list[str]:
    """A matrix row's cells."""
    line = next(line for line in as_text(report).splitlines() if line.startswith(f"{service} "))
    return re.split(r"\s{2,}", line)[1:]


def test_cells_say_what_happened() -> None:
    assert row(samples.passed(), "front") == ["ok", "ok", "--"]
    assert row(samples.leaked(), "front") == ["ok", "ok", "XX 3/6"]
    assert row(samples.not_proven(), "front") == ["ok", "ok", "??"]
    assert row(samples.passed(), "db") == ["--", "ok", "."]


def test_verdict_words() -> None:
    last = {
        name: next(line for line in reversed(as_text(report).splitlines()) if "checks:" in line)
        for name, report in ALL.items()
    }
    assert last["pass"].startswith("PASS  84 checks: 84 proven, 0 violated, 0 inconclusive")
    assert last["violation"].startswith("FAIL ")
    assert last["inconclusive"].startswith("NOT PROVEN ")
    assert last["crashed"].startswith("ERROR ")
    assert last["nothing measured"].startswith("NOT PROVEN ")


def test_evidence_and_reason_are_below_the_matrix() -> None:
    text = as_text(samples.leaked())
    assert "XX front -> db [host1 -> host3] reach tcp udp icmp on back (3 checks)" in text
    for expected in (
        "because    front and db share no network",
        "expected   deny; observed allow",
        "outcome    answered by db.1",
    ):
        assert expected in text
    assert "control    the target's listener is alive: api.1->db.1@back/tcp answered" in as_text(
        samples.not_proven()
    ).replace("\n" + " " * 14, " ")


def test_unknown_is_not_no() -> None:
    assert "arrived    not known; answer left: not known" in as_text(samples.leaked())
    assert "arrived    no; answer left: not known" in as_text(samples.not_proven())


def words(number: int) -> str:
    """Something that differs and is no number."""
    return "".join(chr(97 + int(digit)) for digit in str(number))


def test_a_thousand_failures_are_ten_explanations() -> None:
    report = samples.wide(40)
    broken = tuple(
        replace(c, verdict=Verdict.FAIL, observed="deny", explanation=f"reason {words(n)}")
        for n, c in enumerate(report.checks)
    )
    text = as_text(replace(report, checks=broken))
    assert text.count("because") <= 10
    assert re.search(r"… and \d+ more: see --json", text)


def test_the_same_fault_everywhere_is_one_explanation() -> None:
    report = samples.wide(12)
    broken = tuple(
        replace(
            c, verdict=Verdict.INCONCLUSIVE, explanation=f"Not measured: the kernel of {c.source_host} has no IP_VS."
        )
        for c in report.checks
    )
    text = as_text(replace(report, checks=broken))
    assert text.count("has no IP_VS") == 1
    assert "(132 checks)" in text


def test_colour_only_repeats_what_is_written() -> None:
    stream = io.StringIO()
    render(
        samples.mixed(), Console(file=stream, width=80, force_terminal=True, color_system="truecolor", no_color=False)
    )
    assert "\x1b[" in stream.getvalue()
    assert re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()) == as_text(samples.mixed())


def test_ascii_terminals_get_no_middle_dots() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    render(samples.passed(), Console(file=stream, width=80))
    stream.flush()
    assert b"hosts 2.5, swarm 1.2" in raw.getvalue()


HOSTILE = st.text(st.characters(codec=None), max_size=60) | st.sampled_from(
    [
        "[bold red]x[/]",
        "[/]",
        "\x1b[2J\x1b[H",
        "\x1b]0;title\x07",
        "\x9b31m",
        "a\rb",
        "\u202eevil",
        "a\x00b",
        "line\nline",
        ":smile:",
        "[link=x]",
    ]
)


@given(HOSTILE)
def test_nothing_from_hosts_or_files_steers_the_terminal(text: str) -> None:
    one = replace(
        samples.leaked().checks[0],
        verdict=Verdict.FAIL,
        source=text,
        target=text,
        source_service=text,
        target_service=text,
        because=text,
        explanation=text,
        network=text,
        observed=text,
        source_host=text,
        kind=text or "reach",
        evidence=PlainEvidence(values={"outcome": text, text: [text, {text: text}]}),
    )
    finding = Finding(id=text, severity=text, title=text, hosts=(text,), layer=text, fix=text, source=text)
    report = replace(
        samples.passed(),
        lab=text,
        scenario=text,
        provider=text,
        error=text,
        checks=(one,),
        findings=(finding,),
        services=(text,),
        timings={text: 1.0},
    )
    shown = as_text(report)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    shown.encode()


def test_markup_is_shown_as_it_is() -> None:
    report = replace(samples.passed(), lab="[bold]lab[/bold]")
    assert as_text(report).startswith("[bold]lab[/bold] (three-tier)")


def test_the_wire_shows_per_overlay_what_left_and_what_could_be_read() -> None:
    def wire(network: str, observed: str, verdict: Verdict, **evidence: object) -> Check:
        return Check(
            id=f"wire:{network}@host1->host2",
            kind="wire",
            source="a.1",
            target="b.1",
            network=network,
            protocol="",
            port=0,
            expected="encrypted",
            observed=observed,
            verdict=verdict,
            because="because",
            explanation="Seen.",
            source_service="a",
            target_service="b",
            source_host="host1",
            target_host="host2",
            evidence=WireEvidence.from_json(evidence),
        )

    checks = (
        wire("plain", "clear", Verdict.FAIL, excerpt="GET /\x1b[31mkey HTTP/1.1\r\nHost: b"),
        wire("secret", "encrypted", Verdict.PASS, esp_packets=3),
        wire("secret", "unknown", Verdict.INCONCLUSIVE),
    )
    shown = as_text(Report("lab", "lab", "docker", checks=checks))
    assert '   plain: clear on 1 way\n      anybody on the underlay could read: "GET /key HTTP/1.1 Host: b"\n' in shown
    assert "   secret: encrypted on 1 way, 3 ESP packets; not proven on 1 way\n" in shown
