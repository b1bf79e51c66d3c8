"""Secrets and configs out of files: `docker stack deploy` runs on the manager, and refuses the stack without them."""

from __future__ import annotations

from collections.abc import Iterator

from swarmlab.model.scenario import Scenario
from swarmlab.scenario.lint.document import NOT_CARRIED, mappings
from swarmlab.scenario.lint.rule import Warning_


def file_not_carried(scenario: Scenario) -> Iterator[Warning_]:
    """Warn about every secret and config that is read out of a file."""
    for section in ("secrets", "configs"):
        for name, keys in mappings(scenario, section):
            if "file" in keys:
                yield None, f"{section}: {name}: {NOT_CARRIED}; use --stand-in, which needs none"
