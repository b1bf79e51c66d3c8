"""One provider that works is enough; where none does, each is a problem."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from swarmlab import providers
from swarmlab.lab.doctor import doctor
from swarmlab.providers.base import Problem


@pytest.mark.parametrize(
    ("docker", "qemu", "problems"), [(True, True, 0), (True, False, 0), (False, True, 0), (False, False, 2)]
)
def test_what_another_provider_lacks_is_no_problem(
    monkeypatch: pytest.MonkeyPatch, docker: bool, qemu: bool, problems: int
) -> None:
    works = {"docker": docker, "qemu": qemu}
    monkeypatch.setattr(providers, "PROVIDERS", works)
    monkeypatch.setattr(
        providers,
        "get",
        lambda name: SimpleNamespace(fitness=lambda: [] if works[name] else [Problem(f"no {name}", f"get {name}")]),
    )
    found = {entry.name: entry for entry in doctor() if entry.name.startswith("provider ")}
    assert {name.removeprefix("provider "): entry.ok for name, entry in found.items()} == works
    assert sum(entry.needed for entry in found.values() if not entry.ok) == problems
    assert all(entry.fix == f"get {name.removeprefix('provider ')}" for name, entry in found.items() if not entry.ok)
