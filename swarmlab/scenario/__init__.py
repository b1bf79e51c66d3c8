"""Scenario files: Compose + `x-swarmlab` -> `model.Scenario`. Importing this is cheap; parsers load on first use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from swarmlab.errors import Place
from swarmlab.model.scenario import Scenario
from swarmlab.scenario.names import STAND_IN_IMAGE

if TYPE_CHECKING:
    from swarmlab.scenario.locate import Summary

__all__ = ["STAND_IN_IMAGE", "catalogue", "find", "read", "schema", "warnings"]


def find(reference: str) -> Path:
    """The file that a name, a directory or a path means; UsageError lists the known scenarios."""
    from swarmlab.scenario.locate import find as found

    return found(reference)


def catalogue() -> list[Summary]:
    """Every scenario that can be run by name, broken ones with their error."""
    from swarmlab.scenario.locate import catalogue as listed

    return listed()


def read(file: Path, settings: Mapping[str, str] | None = None, *, stand_in: bool = False) -> Scenario:
    """The scenario in `file`; `stand_in` replaces all images by one that only idles.

    Raises FileRejected with every complaint about the file.
    """
    from swarmlab.scenario.reader import read as read_file

    return read_file(file, settings or {}, stand_in=stand_in)


def warnings(scenario: Scenario) -> list[tuple[Place | None, str]]:
    """What is accepted, yet probably not meant: each with its place, in the order of the file."""
    from swarmlab.scenario.lint.rules import warnings as found

    return found(scenario)


def schema() -> dict[str, object]:
    """The JSON Schema of the `x-swarmlab` block."""
    from swarmlab.scenario.block import schema as published

    return published()
