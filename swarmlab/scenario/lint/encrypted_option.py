"""The engine looks at whether the option `encrypted` is there, never at its value, and ignores misspelt options."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from swarmlab.model.scenario import Scenario
from swarmlab.scenario.complaints import quoted
from swarmlab.scenario.lint.rule import Warning_

FALSY = frozenset({"false", "no", "off", "0"})


def encrypted_option(scenario: Scenario) -> Iterator[Warning_]:
    """Warn about `encrypted: "false"`, which encrypts, and about options that only look like `encrypted`."""
    for network in scenario.networks.values():
        for key, value in network.options.items():
            text = _problem(key, value)
            if text:
                yield network.place, f"network {network.key}: {text}"


def _problem(key: str, value: str) -> str:
    if key == "encrypted":
        off = value.strip().lower() in FALSY
        return f'`encrypted: "{value}"` encrypts all the same: its presence decides; remove it' if off else ""
    if difflib.get_close_matches(key.lower(), ["encrypted", "encrypt", "encryption", "secure"], cutoff=0.8):
        return f"the option {quoted(key)} does nothing, the wire stays in clear; did you mean `encrypted`?"
    return ""
