"""One file -> one Scenario. Complaints of all steps are gathered, so that a user sees them at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from swarmlab.model.expectation import Expectation
from swarmlab.model.host import numbered
from swarmlab.model.scenario import Scenario
from swarmlab.scenario.block import Block, check_printable, read_block
from swarmlab.scenario.complaints import Complaints, quoted, unknown
from swarmlab.scenario.deployed import deployed
from swarmlab.scenario.derive import Derivation
from swarmlab.scenario.expect import Explicit, overlay
from swarmlab.scenario.fields import Fields
from swarmlab.scenario.interpolate import Interpolation
from swarmlab.scenario.names import BLOCK, MAX_EXPECTATIONS, MAX_PARTIES
from swarmlab.scenario.networks import read_networks
from swarmlab.scenario.parts import Parts
from swarmlab.scenario.render import check_settings, check_values, render, variables
from swarmlab.scenario.services import read_services
from swarmlab.scenario.text import Source, read_text, shown
from swarmlab.scenario.tree import Node, Scalar, Table
from swarmlab.scenario.yamltext import parse

SECTIONS = ("version", "name", "services", "networks", "volumes", "secrets", "configs", "include")
GENERIC = re.compile(r"(docker-)?(compose|stack)(\.(override|prod|dev))?")
LONGEST_NAME = 40


def read(file: Path, settings: Mapping[str, str], *, stand_in: bool = False) -> Scenario:
    """The scenario in `file`; `settings` are the values of --set. Raises FileRejected with every complaint."""
    complaints = Complaints(shown(file))
    source = Source(complaints.file, read_text(file, complaints))
    check_values(settings, complaints)
    complaints.check()
    used: set[str] = set()
    if file.suffix == ".j2":
        source, used = render(source, settings, complaints)
    root = parse(source, complaints)
    node = root.get(BLOCK)
    defaults = variables(node.get("vars") if isinstance(node, Table) else None, complaints)
    interpolation = Interpolation({**defaults, **settings}, complaints, used)
    root = interpolation.tree(root)
    check_settings(settings, {*defaults, *interpolation.used}, complaints)
    _check_sections(root, complaints)
    return _assembled(file, root, interpolation.values, complaints, stand_in=stand_in)


def _check_sections(root: Table, complaints: Complaints) -> None:
    """Complain about top-level keys that neither Compose nor swarmlab knows; `x-…` is everybody's own."""
    for key in root.entries:
        if key.startswith("x-") and key != BLOCK and key.lower().replace("_", "-") == BLOCK:
            complaints.add(root.place_of(key), f"unknown key {quoted(key)}: did you mean {quoted(BLOCK)}?")
        elif not key.startswith("x-") and key not in SECTIONS:
            complaints.add(root.place_of(key), unknown("key", key, [*SECTIONS, BLOCK]))
    version = root.get("version")
    if isinstance(version, Scalar) and version.text and not version.text.startswith("3"):
        complaints.add(
            version.place,
            f"`docker stack deploy` takes Compose files of version 3 only, this is {quoted(version.text)}",
        )


def _assembled(
    file: Path, root: Table, values: Mapping[str, str], complaints: Complaints, *, stand_in: bool
) -> Scenario:
    top = Fields(root, "", complaints)
    networks = read_networks(top)
    services = read_services(top, networks, stand_in=stand_in)
    node = root.get(BLOCK)
    check_printable(node, complaints)
    block = read_block(node, complaints)
    parts = Parts(block, node, complaints, services, networks, numbered(block.hosts))
    parts.check_managers()
    local = parts.local_networks()
    containers = parts.containers(local, stand_in=stand_in)
    if len(services) + len(containers) > MAX_PARTIES:
        raise complaints.fail(root.place_of("services"), f"more than {MAX_PARTIES} services and containers")
    expectations = _expectations(Derivation(services, networks, local, containers), block, node, complaints)
    complaints.check()
    return Scenario(
        name=name_of(file, root),
        file=file,
        compose=deployed(root, stand_in=stand_in),
        services=services,
        networks=networks,
        local_networks=local,
        containers=containers,
        expectations=tuple(expectations),
        hosts=block.hosts,
        managers=block.managers,
        title=block.title,
        summary=block.summary,
        level=block.level,
        concepts=tuple(block.concepts),
        questions=tuple((question.ask, question.answer) for question in block.questions),
        variables=dict(values),
    )


def _expectations(derivation: Derivation, block: Block, node: Node | None, complaints: Complaints) -> list[Expectation]:
    entries = node.get("expect") if isinstance(node, Table) else None
    explicit = Explicit(
        entries, complaints, derivation.services, derivation.networks, derivation.local_networks, derivation.containers
    ).read(block.expect)
    complaints.check()
    derived = list(islice(derivation.all(), MAX_EXPECTATIONS + 1))
    if len(derived) > MAX_EXPECTATIONS:
        raise complaints.fail(
            None, f"more than {MAX_EXPECTATIONS} expectations follow from this file; use fewer services or networks"
        )
    return overlay(derived, explicit)


def name_of(file: Path, root: Table | None = None) -> str:
    """The scenario's name: the file's own `name:`, its directory's if the file's says nothing, or the file's.

    >>> name_of(Path("scenarios/three-tier/compose.yaml")), name_of(Path("My Shop.yaml"))
    ('three-tier', 'my-shop')
    """
    node = root.get("name") if root else None
    stem = file.name.removesuffix(".j2").removesuffix(".yaml").removesuffix(".yml")
    if GENERIC.fullmatch(stem):
        stem = file.absolute().parent.name
    text = node.text if isinstance(node, Scalar) and node.text else stem
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return slug[:LONGEST_NAME].strip("-") or "scenario"
