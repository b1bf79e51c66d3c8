"""Reads a scenario from text, as if it stood in a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from swarmlab.model.scenario import Scenario
from swarmlab.scenario import read


@pytest.fixture
def read_yaml(tmp_path: Path) -> Callable[..., Scenario]:
    """`read_yaml(text, settings, stand_in=…, name=…)`."""

    def reader(
        text: str, settings: Mapping[str, str] | None = None, *, stand_in: bool = False, name: str = "shop.yaml"
    ) -> Scenario:
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return read(file, settings, stand_in=stand_in)

    return reader
