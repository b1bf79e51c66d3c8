"""Text -> tree: PyYAML's events, with bounds, duplicate keys and template values checked."""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml

from swarmlab.errors import Place
from swarmlab.scenario.complaints import Complaints, printable, quoted
from swarmlab.scenario.names import MAX_DEPTH, MAX_NODES
from swarmlab.scenario.text import CLOSE, OPEN, PRIVATE, Source
from swarmlab.scenario.tree import Items, Node, Scalar, Table, is_null

STANDARD = "tag:yaml.org,2002:"
PLAIN_TAGS = frozenset({"int", "float", "bool", "null"})
HINTS = {
    "found character '\\t' that cannot start any token": "a tab cannot indent in YAML: use spaces",
    "mapping values are not allowed here": (
        "a mapping is not possible here: check the indentation, or quote text that has `: ` in it"
    ),
    "could not find expected ':'": "a `:` is missing after this key, or a quote or bracket above was not closed",
}


def parse(source: Source, complaints: Complaints) -> Table:
    """The document's mapping. Raises FileRejected where nothing can be read further."""
    builder = Builder(source, complaints)
    try:
        for event in yaml.parse(source.text, Loader=yaml.SafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        where = error.problem_mark or error.context_mark
        place = source.place(where.line, where.column) if where else None
        raise complaints.fail(place, _worded(error, source)) from None
    except yaml.reader.ReaderError as error:
        found = f"U+{ord(error.character) if isinstance(error.character, str) else int(error.character):04X}"
        raise complaints.fail(source.at(error.position), f"the character {found} is not allowed in YAML") from None
    return _root(builder, complaints)


def _worded(error: yaml.MarkedYAMLError, source: Source) -> str:
    problem = PRIVATE.sub("", printable(str(error.problem or error.context or "not YAML")))
    context = PRIVATE.sub("", printable(str(error.context or "")))
    hint = HINTS.get(problem)
    begun = error.context_mark
    since = f" that begins at {source.place(begun.line, begun.column)}" if begun else ""
    return f"syntax error: {hint or problem}" + (f" ({context}{since})" if context and not hint else "")


def _root(builder: Builder, complaints: Complaints) -> Table:
    root = builder.root
    if isinstance(root, Table):
        return root
    if root is None or is_null(root):
        raise complaints.fail(None, "the file is empty; a Compose file has at least `services:`")
    raise complaints.fail(root.place, "a Compose file is a mapping (`services:` and so on), this is not one")


@dataclass
class Frame:
    """A collection that is still open."""

    place: Place
    is_table: bool
    anchor: str
    children: list[Node] = field(default_factory=list)
    size: int = 1


@dataclass
class Builder:
    """Takes events one by one; `root` is the tree once they are over."""

    source: Source
    complaints: Complaints
    root: Node | None = None
    stack: list[Frame] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    documents: int = 0
    nodes: int = 0

    def take(self, event: yaml.Event) -> None:
        """One event."""
        start = event.start_mark
        place = self.source.place(start.line, start.column) if start else self.source.place(0, 0)
        if isinstance(event, yaml.ScalarEvent):
            self._add(self._scalar(event, place), event.anchor or "")
        elif isinstance(event, yaml.AliasEvent):
            self._add(self._alias(event.anchor or "", place), "")
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._open(event, place)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._close()
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise self.complaints.fail(place, "a second YAML document begins here; a scenario is one document")

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, place: Place) -> None:
        is_table = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", STANDARD + ("map" if is_table else "seq")):
            self.complaints.add(place, f"the tag {quoted(event.tag)} is not supported")
        if len(self.stack) >= MAX_DEPTH:
            raise self.complaints.fail(place, f"nested more than {MAX_DEPTH} deep")
        self.stack.append(Frame(place, is_table, event.anchor or ""))

    def _close(self) -> None:
        frame = self.stack.pop()
        node: Node
        if frame.is_table:
            node = Table(frame.place, self._entries(frame), frame.size)
        else:
            node = Items(frame.place, tuple(frame.children), frame.size)
        self._add(node, frame.anchor)

    def _add(self, node: Node, anchor: str) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES or node.size > MAX_NODES:
            raise self.complaints.fail(
                node.place, f"more than {MAX_NODES} values (aliases counted each time that they are used)"
            )
        if anchor:
            self.anchors[anchor] = node
        if not self.stack:
            self.root = node
            return
        self.stack[-1].children.append(node)
        self.stack[-1].size += node.size

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> Scalar:
        tag = event.tag.removeprefix(STANDARD) if event.tag else ""
        if tag not in PLAIN_TAGS | {"", "!", "str"}:
            self.complaints.add(place, f"the tag {quoted(tag)} is not supported")
        plain = tag in PLAIN_TAGS or (event.style is None and tag == "")
        text = self._unwrapped(event.value, place)
        given = text != event.value  # a template value may read `<<`, and is a key of that name: it merges nothing
        return Scalar(place, text, plain and not (given and text == "<<"))

    def _unwrapped(self, text: str, place: Place) -> str:
        """Text without the signs around template values.

        Complains about a value that opens in this scalar and closes elsewhere: it has broken out of it.
        """
        if not PRIVATE.search(text):
            return text
        depth = 0
        for sign in PRIVATE.findall(text):
            depth += 1 if sign == OPEN else -1
            if depth < 0:
                break
        if depth != 0:
            shown = quoted(text.replace(OPEN, "").replace(CLOSE, ""))
            fix = "for structure, write a {% for %} loop"
            self.complaints.add(
                place, f"a template value must stay inside one YAML value, but this one does not: {shown} ({fix})"
            )
        return PRIVATE.sub("", text)

    def _alias(self, name: str, place: Place) -> Node:
        if name in self.anchors:
            return self.anchors[name]
        inside = any(frame.anchor == name for frame in self.stack)
        raise self.complaints.fail(
            place, f"*{printable(name)} " + ("refers to what it stands in" if inside else "has no anchor above")
        )

    def _entries(self, frame: Frame) -> dict[str, tuple[Scalar, Node]]:
        own: dict[str, tuple[Scalar, Node]] = {}
        merged: list[Node] = []
        for key, child in zip(frame.children[::2], frame.children[1::2], strict=True):
            if not isinstance(key, Scalar):
                self.complaints.add(key.place, "a key must be text, not a list or a mapping")
            elif not key.text.isprintable():
                self.complaints.add(key.place, f"control characters are not allowed in a key: {quoted(key.text)}")
            elif key.text == "<<" and key.plain:
                merged.append(child)
            elif key.text in own:
                self.complaints.add(
                    key.place, f"duplicate key {quoted(key.text)}: it stands already at {own[key.text][0].place}"
                )
            else:
                own[key.text] = (key, child)
        inherited: dict[str, tuple[Scalar, Node]] = {}
        for child in merged:
            self._merge(inherited, child)
        return {**inherited, **own}

    def _merge(self, inherited: dict[str, tuple[Scalar, Node]], child: Node) -> None:
        tables = child.items if isinstance(child, Items) else (child,)
        for table in tables:
            if not isinstance(table, Table):
                self.complaints.add(table.place, "<< takes a mapping, or a list of mappings")
                continue
            for name, entry in table.entries.items():
                inherited.setdefault(name, entry)
