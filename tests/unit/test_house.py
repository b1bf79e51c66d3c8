"""Rules of the house that no linter knows: files, functions and rooms stay small; what is public is described."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "swarmlab").rglob("*.py"))
MOST_LINES = 300  # of a file
MOST_OF_A_FUNCTION = 40  # lines, from its first statement to its last
MOST_SIBLINGS = 25  # modules of one room, without its __init__

Function = ast.FunctionDef | ast.AsyncFunctionDef
Named = Function | ast.ClassDef


@cache
def trees() -> dict[str, ast.Module]:
    """Every file of the package, parsed, by its path."""
    return {str(file.relative_to(ROOT)): ast.parse(file.read_text(encoding="utf-8")) for file in FILES}


def public(parent: ast.Module | ast.ClassDef) -> Iterator[Named]:
    """The classes, functions and methods that others may use."""
    for node in parent.body:
        if isinstance(node, Named) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node)


def length(function: Function) -> int:
    """Lines of its body; the docstring and the parameters are not counted."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_files_are_short() -> None:
    lines = {str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_functions_are_short() -> None:
    functions = [(name, n) for name, tree in trees().items() for n in ast.walk(tree) if isinstance(n, Function)]
    long = [f"{name}:{n.lineno} {n.name}: {length(n)}" for name, n in functions if length(n) > MOST_OF_A_FUNCTION]
    assert long == []


def test_rooms_hold_no_crowd() -> None:
    siblings = Counter(file.parent for file in FILES if file.name != "__init__.py")
    assert {str(room.relative_to(ROOT)): n for room, n in siblings.items() if n > MOST_SIBLINGS} == {}


def test_what_is_public_has_a_docstring() -> None:
    missing = [name for name, tree in trees().items() if not ast.get_docstring(tree)]
    nodes = [(name, node) for name, tree in trees().items() for node in public(tree)]
    missing += [f"{name}:{node.lineno} {node.name}" for name, node in nodes if not ast.get_docstring(node)]
    assert missing == []
