"""What follows for sizes, and how a file says otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarmlab.errors import FileRejected
from swarmlab.model.kinds import Kind
from swarmlab.scenario import read

FILE = """\
version: "3.8"
services:
  many: {image: x, networks: [a], deploy: {replicas: 2}}
  every: {image: x, networks: [b], deploy: {mode: global}}
  one: {image: x, networks: [c, a]}
networks: {a: {}, b: {}, c: {}}
"""


def expected(tmp_path: Path, more: str = "") -> dict[str, tuple[str, bool]]:
    file = tmp_path / "compose.yaml"
    file.write_text(FILE + more)
    return {e.network: (e.expected, e.derived) for e in read(file).expectations if e.kind is Kind.MTU}


def test_every_overlay_that_two_tasks_may_share(tmp_path: Path) -> None:
    assert expected(tmp_path) == {"a": ("fits", True), "b": ("fits", True)}


def test_an_entry_says_otherwise_for_its_network_alone(tmp_path: Path) -> None:
    more = "x-swarmlab:\n  expect:\n    - {network: a, mtu: ignore, because: jumbo frames are tested elsewhere}\n"
    assert expected(tmp_path, more) == {"a": ("ignore", False), "b": ("fits", True)}


def test_two_entries_that_contradict_each_other_are_an_error(tmp_path: Path) -> None:
    entries = "    - {network: a, mtu: ignore, because: x}\n    - {network: a, mtu: fits, because: y}\n"
    more = f"x-swarmlab:\n  expect:\n{entries}"
    with pytest.raises(FileRejected, match="a mtu fits here, but a mtu ignore"):
        expected(tmp_path, more)
