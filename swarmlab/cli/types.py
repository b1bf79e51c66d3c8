"""Values of arguments: what is accepted, and how a shell completes them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from swarmlab.errors import SwarmlabError

KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


class Seconds(click.FloatRange):
    """A time within bounds; "nan" lies outside every bound, though it compares with none."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A float, or a usage error."""
        seconds = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is not a number of seconds.", param, ctx)
        return seconds


class ByHost(click.types.StringParamType):
    """VERSION, or HOST=VERSION,…: whether the hosts exist is known only once the scenario is read."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name, self.known = name, known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text itself, or a usage error that lists the known versions."""
        for entry in str(value).split(","):
            version = entry.rpartition("=")[2].strip()
            if version not in self.known:
                self.fail(f"{version!r} is not one of {', '.join(map(repr, self.known))}.", param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Versions, also behind `host1=`."""
        head = incomplete[: max(incomplete.rfind("="), incomplete.rfind(",")) + 1]
        return [CompletionItem(head + version) for version in self.known if (head + version).startswith(incomplete)]


def engine_list(known: Sequence[str]) -> Any:
    """A callback for VERSION,VERSION,…: each known, each once."""

    def callback(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, ...]:
        versions = tuple(version.strip() for version in value.split(","))
        for version in versions:
            if version not in known:
                raise click.BadParameter(f"{version!r} is not one of {', '.join(map(repr, known))}.", ctx, param)
        if len(set(versions)) < len(versions):
            raise click.BadParameter("one engine is given twice.", ctx, param)
        return versions

    return callback


def settings(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    """KEY=VALUE, several times; a value may be empty and may hold `=`.

    Raises a usage error for anything else, and for a key that is given twice.
    """
    found: dict[str, str] = {}
    for number, value in enumerate(values, 1):
        key, equals, text = value.partition("=")
        if not equals or not KEY.fullmatch(key):
            # The text itself is not repeated: it may be a password whose key was forgotten.
            raise click.BadParameter(f"number {number} is not KEY=VALUE, such as replicas=3.", ctx, param)
        if key in found:
            raise click.BadParameter(f"{key} is given twice.", ctx, param)
        found[key] = text
    return found


def complete_scenario(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The scenarios that are shipped, then files."""
    names = [CompletionItem(name, help=title) for name, title in _scenarios() if name.startswith(incomplete)]
    return names or [CompletionItem(incomplete, type="file")]


def complete_lab(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The labs that have state here."""
    return [CompletionItem(name) for name in _labs() if name.startswith(incomplete)]


def _scenarios() -> list[tuple[str, str]]:
    from swarmlab import scenario

    try:
        return [(entry.name, entry.title) for entry in scenario.catalogue()]
    except SwarmlabError:  # a completion has nowhere to complain
        return []


def _labs() -> list[str]:
    from swarmlab.lab import home

    try:
        return home.names()
    except SwarmlabError:
        return []
