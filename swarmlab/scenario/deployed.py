"""The text that is handed to `docker stack deploy`: the file's own Compose part, without what only swarmlab reads."""

from __future__ import annotations

import re
from collections.abc import Callable

import yaml

from swarmlab.errors import Place
from swarmlab.scenario.interpolate import SECTIONS, escaped
from swarmlab.scenario.names import BLOCK, STAND_IN_IMAGE
from swarmlab.scenario.tree import Items, Node, Scalar, Table, is_null, mapped

VERSION = "3.8"
# What a stand-in keeps of a service: what decides about networks, names and placement. The rest is the real image's.
KEPT = frozenset({
    "networks", "deploy", "ports", "labels", "hostname", "extra_hosts",
    "dns", "dns_search", "dns_opt", "sysctls", "init",
})  # fmt: skip
KEPT_SECTIONS = frozenset({"version", "services", "networks"})
TRUTH = re.compile("y|yes|on|n|no|off|true|false|null", re.IGNORECASE)
TEXT = "tag:yaml.org,2002:str"


def deployed(root: Table, *, stand_in: bool) -> str:
    """YAML with a `version`, without `name` and `x-swarmlab`; `$` is doubled again where Compose interpolates."""
    entries = {key: entry for key, entry in root.entries.items() if key not in ("name", BLOCK, "version")}
    if stand_in:
        entries = {key: entry for key, entry in entries.items() if key in KEPT_SECTIONS}
    version = root.entries.get("version")
    if version is None or is_null(version[1]):
        version = (_plain(root.place, "version"), Scalar(root.place, VERSION, False))
    result = Table(root.place, {"version": version})
    for key, (name, node) in entries.items():
        changed = _stand_ins(node) if stand_in and key == "services" else node
        result.entries[key] = (name, mapped(changed, escaped) if key in SECTIONS else changed)
    return _written(result)


def _plain(place: Place, text: str) -> Scalar:
    return Scalar(place, text, True)


def _stand_ins(services: Node) -> Node:
    if not isinstance(services, Table):
        return services
    kept = {name: (key, _stand_in(node)) for name, (key, node) in services.entries.items() if not name.startswith("x-")}
    return Table(services.place, kept)


def _stand_in(service: Node) -> Node:
    known = service.entries if isinstance(service, Table) else {}
    entries = {name: entry for name, entry in known.items() if name in KEPT}
    if "deploy" in entries:
        key, deploy = entries["deploy"]
        entries["deploy"] = (key, _without_resources(deploy))
    image = (_plain(service.place, "image"), Scalar(service.place, STAND_IN_IMAGE, False))
    return Table(service.place, {"image": image, **entries})


def _without_resources(deploy: Node) -> Node:
    """What the real image reserves would only keep its stand-in from starting on small hosts."""
    if not isinstance(deploy, Table):
        return deploy
    return Table(deploy.place, {name: entry for name, entry in deploy.entries.items() if name != "resources"})


def _written(root: Table) -> str:
    text = yaml.serialize(_node(root), Dumper=yaml.SafeDumper, allow_unicode=True, width=1_000_000)
    assert isinstance(text, str)
    return text


def _node(node: Node) -> yaml.Node:
    if isinstance(node, Table):
        pairs = [(_key(key), _node(child)) for key, child in node.pairs()]
        return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=not pairs)
    if isinstance(node, Items):
        return yaml.SequenceNode(
            "tag:yaml.org,2002:seq", [_node(child) for child in node.items], flow_style=not node.items
        )
    if not node.plain:
        # Quoted explicitly: what PyYAML would leave plain can be a number to another parser (1e3, 0o7).
        return yaml.ScalarNode(TEXT, node.text, style='"')
    text = node.text or "null"
    return yaml.ScalarNode(_implicit_tag(text), text)


def _key(key: Scalar) -> yaml.Node:
    """Older official parsers take a key like `N` or `on` for a truth value, and refuse it."""
    simple = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", key.text) and not TRUTH.fullmatch(key.text)
    return yaml.ScalarNode(TEXT, key.text, style=None if simple else '"')


def _implicit_tag(text: str) -> str:
    """The tag with which PyYAML writes this text without quotes, if it can be written so at all."""
    resolve: Callable[..., str] = yaml.SafeLoader("").resolve
    return resolve(yaml.ScalarNode, text, (True, False))
