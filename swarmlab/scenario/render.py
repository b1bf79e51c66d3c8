"""`compose.yaml.j2` -> YAML text, and the variables that a file declares under `x-swarmlab.vars`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from swarmlab.errors import Place
from swarmlab.scenario.complaints import Complaints, printable, quoted, unknown
from swarmlab.scenario.names import BLOCK
from swarmlab.scenario.text import PRIVATE, Source
from swarmlab.scenario.tree import Node, Scalar, Table, is_null
from swarmlab.scenario.yamltext import parse

CHILD = Path(__file__).with_name("render_child.py")
SECONDS = 20.0  # wall time for a template; its processor time is bounded more tightly in the child
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
MAX_VALUE = 4096  # characters of one --set value


def render(source: Source, settings: Mapping[str, str], complaints: Complaints) -> tuple[Source, set[str]]:
    """The output, with each line's place in the template, and the names of the variables used.

    `settings` go before the file's own `vars`. Raises FileRejected where the template cannot be rendered.
    """
    sign = PRIVATE.search(source.text)
    if sign:
        raise complaints.fail(source.at(sign.start()), "characters U+E000 to U+E003 cannot be used in a template")
    defaults = declared(source, complaints)
    complaints.check()
    answer = _run_child(source.text, {**defaults, **settings}, complaints)
    if "error" in answer:
        line = int(str(answer.get("line") or 0))
        place = Place(source.file, line, 1) if line else None
        raise complaints.fail(place, printable(str(answer["error"])))
    names, lines = answer["names"], answer["lines"]
    assert isinstance(names, list) and isinstance(lines, list)
    return Source(source.file, str(answer["text"]), tuple(lines)), set(names)


def _run_child(text: str, values: Mapping[str, str], complaints: Complaints) -> dict[str, object]:
    request = json.dumps({"text": text, "values": dict(values)})
    command = [sys.executable, "-P", str(CHILD)]
    try:
        done = subprocess.run(command, input=request, capture_output=True, text=True, timeout=SECONDS, check=False)
        answer = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        raise complaints.fail(
            None, "the template does not end: it took too much time or memory, so it was stopped"
        ) from None
    assert isinstance(answer, dict)
    return answer


def check_settings(settings: Mapping[str, str], known: set[str], complaints: Complaints) -> None:
    """Complain about values for variables that the file does not have."""
    for name in settings:
        if name not in known:
            complaints.add(None, f"--set {printable(name[:60])}: " + unknown("variable", name, known))


def check_values(settings: Mapping[str, str], complaints: Complaints) -> None:
    """Complain about names that are no names, and about values that could be read as more than one line of text."""
    for name, text in settings.items():
        if not NAME.fullmatch(name):
            complaints.add(None, f"--set {quoted(name)}: a variable's name has letters, digits and _ only")
        elif len(text) > MAX_VALUE:
            complaints.add(None, f"--set {name}: the value is longer than {MAX_VALUE} characters")
        elif PRIVATE.search(text) or not all(c.isprintable() for c in text):
            complaints.add(
                None, f"--set {name}: line breaks and control characters are not allowed in a value: {quoted(text)}"
            )


def declared(source: Source, complaints: Complaints) -> dict[str, str]:
    """`vars` of a template, found by its lines: before rendering, the file as a whole need not be YAML."""
    rows = source.text.split("\n")
    start = next((n for n, row in enumerate(rows) if re.match(rf"{BLOCK}:\s*(#.*)?$", row)), None)
    if start is None:
        return {}
    block = _deeper(rows, start, 0)
    found = next((n for n in block if re.match(r"\s+vars:(\s|$)", rows[n])), None)
    if found is None:
        return {}
    lines = [found, *_deeper(rows, found, _indent(rows[found]))]
    for n in lines:
        if re.search(r"\{\{|\{%|\{#", rows[n]):
            complaints.add(
                Place(source.file, n + 1, 1), "`vars` is read before the template is rendered: it must be plain text"
            )
            return {}
    snippet = Source(source.file, "\n".join(rows[n] for n in lines) + "\n", tuple(n + 1 for n in lines))
    tree = parse(snippet, complaints)
    return variables(tree.get("vars"), complaints)


def _deeper(rows: list[str], start: int, indent: int) -> list[int]:
    """The lines below `start` that are indented more than it, up to the first that is not."""
    found: list[int] = []
    for n in range(start + 1, len(rows)):
        blank = not rows[n].strip() or rows[n].lstrip().startswith("#")
        if not blank and _indent(rows[n]) <= indent:
            break
        found.append(n)
    return found


def _indent(row: str) -> int:
    return len(row) - len(row.lstrip(" "))


def variables(node: Node | None, complaints: Complaints) -> dict[str, str]:
    """Names and default values of a `vars` mapping; a value is taken as it is written (1.10 stays 1.10)."""
    if node is None or is_null(node):
        return {}
    if not isinstance(node, Table):
        complaints.add(node.place, "vars: expected a mapping of names to default values")
        return {}
    result: dict[str, str] = {}
    for key, child in node.pairs():
        if not NAME.fullmatch(key.text):
            complaints.add(key.place, f"vars: {quoted(key.text)} is no name for a variable: letters, digits and _ only")
        elif not isinstance(child, Scalar):
            complaints.add(child.place, f"vars: the default of {key.text} must be text or a number")
        else:
            result[key.text] = "" if is_null(child) else child.text
    return result
