"""Reads typed values out of a tree and complains where they are not what they should be."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from swarmlab.errors import Place
from swarmlab.scenario.complaints import Complaints, printable, quoted
from swarmlab.scenario.tree import Items, Node, Scalar, Table, describe, is_null, scalar_value


@dataclass(frozen=True)
class Fields:
    """A mapping of the file and where it is (`where`: "service api"), for messages."""

    table: Table
    where: str
    complaints: Complaints

    def _wrong(self, key: str, node: Node, wanted: str) -> None:
        found = quoted(node.text) if isinstance(node, Scalar) and not is_null(node) else describe(node)
        self.complaints.add(node.place, f"{self._path(key)}: expected {wanted}, found {found}")

    def _path(self, key: str) -> str:
        return f"{self.where}: {printable(key[:60])}" if self.where else printable(key[:60])

    def text(self, key: str) -> str:
        """Text, "" if absent."""
        node = self.table.get(key)
        if node is None or is_null(node):
            return ""
        if isinstance(node, Scalar) and node.text.isprintable():
            return node.text
        self._wrong(key, node, "text in one line")
        return ""

    def truth(self, key: str) -> bool:
        """True or false, False if absent."""
        node = self.table.get(key)
        if node is None or is_null(node):
            return False
        found = scalar_value(node) if isinstance(node, Scalar) else None
        if not isinstance(found, bool):
            self._wrong(key, node, "true or false")
        return found is True

    def number(self, key: str, low: int, high: int) -> int | None:
        """A whole number within bounds, None if absent or wrong."""
        node = self.table.get(key)
        if node is None or is_null(node):
            return None
        found = scalar_value(node) if isinstance(node, Scalar) else None
        if not isinstance(found, int) or isinstance(found, bool) or not low <= found <= high:
            self._wrong(key, node, f"a whole number from {low} to {high}")
            return None
        return found

    def refuse_misspelt(self, known: Sequence[str]) -> None:
        """Complain about unknown keys that look like a known one.

        Other unknown keys are left to the engine's own parser, which may know more keys than we do.
        """
        strange = [key for key in self.table.entries if key not in known and not key.startswith("x-")]
        for key in strange:
            near = difflib.get_close_matches(key[:100], known, n=1, cutoff=0.8)
            if near:
                text = f"{self.where}: unknown key {quoted(key)}: did you mean {quoted(near[0])}?"
                self.complaints.add(self.table.place_of(key), text)

    def sub(self, key: str) -> Fields | None:
        """A mapping inside, None if absent or wrong."""
        node = self.table.get(key)
        if node is None or is_null(node):
            return None
        if isinstance(node, Table):
            return Fields(node, self._path(key), self.complaints)
        self._wrong(key, node, "a mapping")
        return None

    def items(self, key: str) -> tuple[Node, ...]:
        """The nodes of a list, none if absent or wrong."""
        node = self.table.get(key)
        if node is None or is_null(node):
            return ()
        if isinstance(node, Items):
            return node.items
        self._wrong(key, node, "a list")
        return ()

    def texts(self, key: str) -> Iterator[tuple[Place, str]]:
        """The texts of a list."""
        for node in self.items(key):
            if isinstance(node, Scalar) and not is_null(node) and node.text.isprintable():
                yield node.place, node.text
            else:
                self._wrong(key, node, "text")

    def tables(self, key: str) -> Iterator[tuple[Scalar, Fields]]:
        """The mappings inside a mapping, an empty value being an empty mapping."""
        inside = self.sub(key)
        if inside is None:
            return
        for name, node in inside.table.pairs():
            if isinstance(node, Table):
                yield name, Fields(node, inside._path(name.text), self.complaints)
            elif is_null(node):
                yield name, Fields(Table(node.place, {}), inside._path(name.text), self.complaints)
            else:
                inside._wrong(name.text, node, "a mapping")
