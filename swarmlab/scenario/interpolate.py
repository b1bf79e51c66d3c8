"""Compose's own variables: $V, ${V}, ${V:-default}, ${V-default}, ${V:?message}, ${V?message}, ${V:+other}, ${V+other}.

`$$` is a dollar sign. Values come from --set and `x-swarmlab.vars` only, never from the environment, so that a scenario
means the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from swarmlab.scenario.complaints import Complaints, printable, quoted
from swarmlab.scenario.names import BLOCK
from swarmlab.scenario.tree import Node, Scalar, Table, mapped

VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<named>[A-Za-z_][A-Za-z0-9_]*)"
    r"|\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)(?P<rule>:?[-?+])?(?P<rest>(?<=[-?+])[^}]*)?\}|(?P<invalid>))"
)
# The sections that `docker stack deploy` interpolates itself; elsewhere a `$` is just a `$`.
SECTIONS = ("services", "networks", "volumes", "secrets", "configs")
LESSON = frozenset({"vars", "title", "summary", "level", "concepts", "because", "questions"})
# Where the official parser turns an interpolated text into a number or truth value (docker/cli
# cli/compose/loader/interpolate.go).
CASTS = re.compile(
    r"services/[^/]+/((configs|secrets)/\[\]/mode|healthcheck/(retries|disable)|deploy/replicas"
    r"|deploy/(update_config|rollback_config)/(parallelism|max_failure_ratio)|deploy/restart_policy/max_attempts"
    r"|deploy/placement/max_replicas_per_node|ports/\[\]/(target|published)|ulimits/[^/]+(/(hard|soft))?"
    r"|privileged|read_only|stdin_open|tty|volumes/\[\]/(read_only|volume/nocopy))"
    r"|(networks|volumes|secrets|configs)/[^/]+/(external|internal|attachable)"
)


@dataclass
class Interpolation:
    """One file's variables at work; `used` collects the names that occur."""

    values: Mapping[str, str]
    complaints: Complaints
    used: set[str] = field(default_factory=set)

    def tree(self, root: Table) -> Table:
        """The document with variables replaced where Compose replaces them, and in `x-swarmlab` but for the lesson."""
        entries = dict(root.entries)
        for section in SECTIONS:
            if section in entries:
                key, node = entries[section]
                entries[section] = (key, mapped(node, self._scalar, (section,)))
        if BLOCK in entries:
            key, node = entries[BLOCK]
            entries[BLOCK] = (key, self._block(node))
        return Table(root.place, entries, root.size)

    def _block(self, node: Node) -> Node:
        return mapped(node, lambda scalar, path: scalar if LESSON & set(path) else self._scalar(scalar, (BLOCK, *path)))

    def _scalar(self, scalar: Scalar, path: tuple[str, ...]) -> Scalar:
        if "$" not in scalar.text:
            return scalar
        text = VARIABLE.sub(lambda match: self._one(match, scalar), scalar.text)
        plain = path[0] == BLOCK or CASTS.fullmatch("/".join(path)) is not None
        return Scalar(scalar.place, text, plain and text != scalar.text)

    def _one(self, match: re.Match[str], scalar: Scalar) -> str:
        if match["escaped"]:
            return "$"
        name = match["named"] or match["braced"]
        if not name:
            self.complaints.add(
                scalar.place, f"invalid variable in {quoted(scalar.text)}: write ${{NAME}}, or $$ for a dollar sign"
            )
            return ""
        self.used.add(name)
        return self._value(name, match["rule"] or "", match["rest"] or "", scalar)

    def _value(self, name: str, rule: str, rest: str, scalar: Scalar) -> str:
        found = self.values.get(name)
        if found == "" and rule.startswith(":"):
            found = None
        if rule.endswith("+"):
            return rest if found is not None else ""
        if found is not None:
            return found
        if rule.endswith("-"):
            return rest
        why = f": {printable(rest)}" if rest else ""
        fix = f"give --set {name}=VALUE, or a default under `vars:` of `x-swarmlab`, or ${{{name}:-default}}"
        self.complaints.add(scalar.place, f"the variable {name} is not set{why} ({fix})")
        return ""


def escaped(scalar: Scalar, _path: tuple[str, ...]) -> Scalar:
    """The value with each dollar sign doubled, as the official parser reads a plain one."""
    return Scalar(scalar.place, scalar.text.replace("$", "$$"), scalar.plain)
