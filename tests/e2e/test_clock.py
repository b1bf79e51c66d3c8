"""The clock of a machine, set wrong on purpose: it is red there, and nowhere else, and all is well when it is right."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Lab
from tests.e2e.driver import checks

pytestmark = pytest.mark.vm


def moved(by: str) -> list[str]:
    """What moves a host's clock."""
    return ["sh", "-c", f"date --set=\"$(date --date='{by}' --iso-8601=ns)\""]


def test_a_clock_two_hours_ahead_is_red_on_its_host_alone(encrypted_lab: Lab) -> None:
    user, name = encrypted_lab.user, encrypted_lab.name
    with user.broken(name, "host2", moved("now + 2 hours"), moved("now - 2 hours")):
        status, report = user.report("verify", name)
    assert status == 1
    assert {c["id"]: c["observed"] for c in checks(report, verdict="fail")} == {"clock:host2": "differs"}
    assert [(f["id"], f["hosts"]) for f in report["findings"]] == [("clock-skew", ["host2"])]
    assert 7190 < checks(report, id="clock:host2")[0]["evidence"]["ahead_s"] < 7210
    status, report = user.report("verify", name)
    assert (status, report["summary"]["fail"], report["summary"]["inconclusive"]) == (0, 0, 0)
