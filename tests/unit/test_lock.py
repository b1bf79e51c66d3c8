"""The lock files fit what pyproject.toml asks for: who changes one without the other is told here."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def locked(name: str) -> dict[str, str]:
    """Package -> its one version; the last where Pythons get different ones."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("run", PROJECT["dependencies"]), ("dev", PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"])],
)
def test_each_requirement_is_locked_to_a_version_that_it_admits(name: str, wanted: list[str]) -> None:
    versions = locked(name)
    for line in wanted:
        requirement = Requirement(line)
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), f"{line}: run `make lock`"


def test_who_runs_it_has_the_versions_that_were_tested() -> None:
    assert locked("run").items() <= locked("dev").items()


@pytest.mark.parametrize("name", ["run", "dev"])
def test_a_lock_names_no_place_to_load_from(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|--index|--find-links", text)
