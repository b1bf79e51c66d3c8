"""YAML as a tree in which every key and value keeps its place.

Built from PyYAML's events rather than by its composer, because that one recurses, drops duplicate keys and expands
aliases without bound. Scalars are typed as the official parser (go-yaml) types them: `22:22` is text there, but a
number in base 60 for PyYAML.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from swarmlab.errors import Place

NULL = re.compile(r"~|null|Null|NULL|")
TRUE = re.compile(r"true|True|TRUE|yes|Yes|YES|on|On|ON")
FALSE = re.compile(r"false|False|FALSE|no|No|NO|off|Off|OFF")
INT = re.compile(r"[-+]?(0b[01]{1,64}|0o?[0-7]{1,22}|0x[0-9a-fA-F]{1,16}|[0-9]{1,19})")
FLOAT = re.compile(r"[-+]?(\.[0-9]{1,40}|[0-9]{1,40}(\.[0-9]{0,40})?)([eE][-+]?[0-9]{1,3})?")


@dataclass(frozen=True)
class Scalar:
    """A scalar; `plain` says that it is not quoted, so that `3` is a number and `true` a truth value."""

    place: Place
    text: str
    plain: bool
    size: int = field(default=1, compare=False)


@dataclass(frozen=True)
class Items:
    """A sequence."""

    place: Place
    items: tuple[Node, ...]
    size: int = field(default=1, compare=False)


@dataclass(frozen=True)
class Table:
    """A mapping: text of a key -> the key as it stands, and its value."""

    place: Place
    entries: dict[str, tuple[Scalar, Node]]
    size: int = field(default=1, compare=False)

    def get(self, key: str) -> Node | None:
        """A key's value, or None."""
        entry = self.entries.get(key)
        return entry[1] if entry else None

    def place_of(self, key: str) -> Place:
        """Where a key stands; the table's own place if it has no such key."""
        entry = self.entries.get(key)
        return entry[0].place if entry else self.place

    def pairs(self) -> Iterator[tuple[Scalar, Node]]:
        """Keys and values."""
        yield from self.entries.values()


Node = Scalar | Items | Table


def scalar_value(node: Scalar) -> object:
    """None, bool, int, float or str, as go-yaml sees it."""
    text = node.text
    if not node.plain:
        return text
    if NULL.fullmatch(text):
        return None
    if TRUE.fullmatch(text) or FALSE.fullmatch(text):
        return bool(TRUE.fullmatch(text))
    if INT.fullmatch(text):
        return _integer(text)
    return _decimal(text) if FLOAT.fullmatch(text) else text


def _integer(text: str) -> int:
    digits = text.lstrip("+-")
    base = {"0b": 2, "0o": 8, "0x": 16}.get(digits[:2], 10)
    if base == 10 and len(digits) > 1 and digits[0] == "0":
        base = 8 if re.fullmatch("[0-7]+", digits) else 10
    return int(digits, base) * (-1 if text[0] == "-" else 1)


def _decimal(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def is_null(node: Node | None) -> bool:
    """Absent, or there with nothing in it (`networks:`)."""
    return node is None or (isinstance(node, Scalar) and scalar_value(node) is None)


def value(node: Node) -> object:
    """The plain Python value of a tree."""
    if isinstance(node, Table):
        return {key.text: value(child) for key, child in node.pairs()}
    if isinstance(node, Items):
        return [value(child) for child in node.items]
    return scalar_value(node)


def describe(node: Node) -> str:
    """What a node is, in words for a message."""
    if isinstance(node, Table):
        return "a mapping"
    if isinstance(node, Items):
        return "a list"
    found = scalar_value(node)
    names: dict[type, str] = {type(None): "nothing", bool: "true/false", int: "a number", float: "a number"}
    return names.get(type(found), "text")


def mapped(node: Node, change: Callable[[Scalar, tuple[str, ...]], Scalar], path: tuple[str, ...] = ()) -> Node:
    """The tree with every scalar value changed; the path has the keys above it, `[]` for a place in a list."""
    if isinstance(node, Scalar):
        return change(node, path)
    if isinstance(node, Items):
        return Items(node.place, tuple(mapped(child, change, (*path, "[]")) for child in node.items), node.size)
    entries = {name: (key, mapped(child, change, (*path, name))) for name, (key, child) in node.entries.items()}
    return Table(node.place, entries, node.size)


def place_at(node: Node | None, *path: str | int) -> Place | None:
    """Where the value under these keys and indexes stands (its key, for a collection); as near as the file gets."""
    place = node.place if node else None
    for step in path:
        if isinstance(node, Table) and step in node.entries:
            key, node = node.entries[str(step)]
            place = node.place if isinstance(node, Scalar) and node.text else key.place
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            place = node.place
        else:
            break
    return place
