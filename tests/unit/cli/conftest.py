"""A lab that answers what a test tells it to, in place of the real one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from swarmlab.cli.main import main


@dataclass
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str


Run = Callable[..., Ran]
Fake = Callable[[str, Callable[..., Any]], None]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory of the test's own, and no flags from the environment."""
    monkeypatch.setenv("SWARMLAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("SWARMLAB_DEBUG", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """`fake("up", function)` stands in for swarmlab.lab.up:up; `fake("saved.last_report", …)` for another name."""
    modules: dict[str, SimpleNamespace] = {}

    def put(verb: str, function: Callable[..., Any]) -> None:
        module, _, name = verb.partition(".")
        known = modules.setdefault(module, SimpleNamespace())
        setattr(known, name or module, function)
        monkeypatch.setitem(sys.modules, f"swarmlab.lab.{module}", known)

    return put


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The program as a shell runs it: arguments in; status, output and complaints out."""

    def call(*arguments: str) -> Ran:
        capsys.readouterr()
        status = main(arguments)
        captured = capsys.readouterr()
        return Ran(status, captured.out, captured.err)

    return call
