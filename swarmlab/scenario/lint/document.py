"""The file as it will be deployed, for rules about keys that `model.Scenario` does not keep."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from swarmlab.model.scenario import Scenario

NOT_CARRIED = "the file is looked for on the manager, and swarmlab does not carry it there"


def mappings(scenario: Scenario, section: str) -> Iterator[tuple[str, dict[str, object]]]:
    """The name and the keys of each entry of a top-level section, such as `services`; others are left out."""
    document = yaml.safe_load(scenario.compose)
    entries = document.get(section) if isinstance(document, dict) else None
    for name, keys in entries.items() if isinstance(entries, dict) else ():
        if isinstance(keys, dict):
            yield str(name), keys
