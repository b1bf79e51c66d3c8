"""`plan` answers wherever it is asked, also where the provider cannot make hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarmlab.lab import choose
from swarmlab.lab import plan as room
from swarmlab.lab.capabilities import Capabilities
from swarmlab.lab.options import UpOptions
from swarmlab.providers import Problem


def test_a_provider_without_hosts_is_a_problem_and_no_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Capabilities("docker", 0, problems=(Problem("no Docker Engine answers", "start it"),))
    monkeypatch.setenv("SWARMLAB_HOME", str(tmp_path))
    monkeypatch.setattr(choose, "capabilities", lambda provider, ask=True: broken)
    monkeypatch.setattr(room, "all_capabilities", lambda: [broken])
    found = room.plan(UpOptions("three-tier", provider="docker"))
    assert found.needs, "the scenario wants something of a kernel"
    assert found.missing_features == [], "what has no hosts has no kernel"
    assert found.problems == ["no provider can make hosts here\ndocker: no Docker Engine answers\n  fix: start it"]
