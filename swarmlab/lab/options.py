"""What a user asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from swarmlab.errors import UsageError

AUTO = "auto"  # of `--provider`: the cheapest that can honour the scenario
INVENTORY = "inventory"  # the provider that reads the file of `--inventory`
# It becomes part of container, network and stack names, of a directory and of label values: so letters, digits and
# inner hyphens.
LAB_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")


def lab_name(text: str) -> str:
    """The text itself, if it can name a lab; raises UsageError.

    >>> lab_name("three-tier")
    'three-tier'
    """
    if not LAB_NAME.fullmatch(text):
        raise UsageError(
            f"{text[:60]!r} cannot name a lab: expected 1 to 32 lower-case letters, digits and inner hyphens, "
            "such as three-tier",
            fix="choose a name with --name",
        )
    return text


@dataclass(frozen=True)
class UpOptions:
    """The flags of `up`; times are in seconds. `timeout` is a probe's, `wait` the tasks'."""

    scenario: str
    name: str = ""
    provider: str = AUTO
    inventory: Path | None = None
    hosts: int | None = None
    managers: int | None = None
    engine: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    stand_in: bool = False
    timeout: float = 2.0
    wait: float = 300.0
    verify: bool = True
    rollback: bool = True
    pcap: Path | None = None
    kernel: str = ""
