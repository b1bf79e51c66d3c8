"""What a rule is: a function from a scenario to warnings, with a name and a title."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from swarmlab.errors import Place
from swarmlab.model.scenario import Scenario

Warning_ = tuple[Place | None, str]
"""Where in the file (None: the file as a whole), and the text that the user reads."""


@dataclass(frozen=True)
class Rule:
    """A row of the table: `id` never changes, `check` yields nothing where all is well, `title` is one line."""

    id: str
    check: Callable[[Scenario], Iterator[Warning_]]
    title: str
