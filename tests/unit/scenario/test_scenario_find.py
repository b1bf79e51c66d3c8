"""From what a user types to a file; the catalogue; the two shipped scenarios; what importing costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from swarmlab.errors import USAGE, UsageError
from swarmlab.model.kinds import Kind
from swarmlab.scenario import block as block_module
from swarmlab.scenario import catalogue, find, locate, read, schema, warnings
from swarmlab.scenario.block import Block
from swarmlab.scenario.locate import known, shipped

SHIPPED = sorted(file.parent.name for file in (Path(__file__).parents[3] / "scenarios").glob("*/compose.yaml"))
NEED_IPVS = ("ingress", "vip-vs-dnsrr")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def scenario_in(directory: Path, text: str = "services: {a: {image: x}}\n", name: str = "compose.yaml") -> Path:
    directory.mkdir(parents=True)
    (directory / name).write_text(text, encoding="utf-8")
    return directory / name


@pytest.mark.parametrize("name", ["compose.yaml", "docker-compose.yml", "docker-stack.yml", "compose.yaml.j2"])
def test_a_directory_means_its_compose_file(here: Path, name: str) -> None:
    file = scenario_in(here / "shop", name=name)
    assert find("./shop") == Path("shop") / name
    assert find(str(file)) == file


def test_a_name_is_looked_for_here_first_then_among_the_shipped(here: Path) -> None:
    assert find("three-tier").parent.name == "three-tier"
    mine = scenario_in(here / "scenarios" / "three-tier")
    assert find("three-tier") == mine


def test_an_installed_package_holds_its_scenarios(here: Path) -> None:
    """Whatever else is called `scenarios` beside an installed package is somebody else's."""
    package = here / "site-packages" / "swarmlab"
    scenario_in(package / "scenarios" / "three-tier")
    scenario_in(here / "site-packages" / "scenarios" / "theirs")
    assert shipped(package) == package / "scenarios"


def test_in_a_checkout_the_scenarios_lie_beside_the_package(here: Path) -> None:
    (here / "swarmlab").mkdir()
    assert shipped(here / "swarmlab") == here / "scenarios"


def test_a_package_without_scenarios_knows_none(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locate, "PACKAGE", here / "swarmlab")
    assert known() == {}
    with pytest.raises(UsageError, match=r'unknown scenario "three-tier" \(known: none\)'):
        find("three-tier")


@pytest.mark.parametrize(
    ("reference", "wanted"),
    [
        ("tree-tier", 'did you mean "three-tier"'),
        ("shop.yaml", "shop.yaml: no such file"),
        ("empty", "no Compose file in this directory"),
        ("", "is not the name"),
        ("a\0b", "is not the name"),
        ("x" * 5000, "is not the name"),
        ("x" * 300, "File name too long"),
    ],
)
def test_what_cannot_be_found_is_said_with_what_can(here: Path, reference: str, wanted: str) -> None:
    (here / "empty").mkdir()
    with pytest.raises(UsageError, match=wanted) as caught:
        find(reference)
    assert caught.value.status == USAGE


def test_the_catalogue_lists_broken_files_with_their_error(here: Path) -> None:
    scenario_in(here / "scenarios" / "broken", "services: [\n")
    scenario_in(
        here / "scenarios" / "good", "services: {a: {image: x}}\nx-swarmlab: {title: Good, level: advanced, hosts: 2}\n"
    )
    found = {summary.name: summary for summary in catalogue()}
    assert "syntax error" in found["broken"].error
    assert (found["good"].title, found["good"].level, found["good"].hosts, found["good"].error) == (
        "Good",
        "advanced",
        2,
        "",
    )
    assert set(SHIPPED) <= found.keys()


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_scenarios_teach_and_warn_of_nothing(name: str) -> None:
    scenario = read(find(name))
    assert warnings(scenario) == []
    assert scenario.name == name
    assert scenario.title and scenario.summary and scenario.concepts and len(scenario.questions) >= 3
    assert scenario.file.with_name("README.md").is_file()
    jsonschema.validate(yaml.safe_load(scenario.file.read_text())["x-swarmlab"], schema())


def test_three_tier_denies_front_the_database() -> None:
    expectations = read(find("three-tier")).expectations
    found = {(e.kind, e.network, e.name): e.expected for e in expectations if (e.source, e.target) == ("front", "db")}
    assert found == {(Kind.REACH, "", ""): "deny", (Kind.NAME, "", "db"): "deny", (Kind.NAME, "", "tasks.db"): "deny"}


def test_scope_boundary_ends_the_bridge_and_not_the_overlay() -> None:
    expectations = read(find("scope-boundary")).expectations
    found = {(e.kind, e.network): e.expected for e in expectations if (e.source, e.target) == ("left", "right")}
    assert found == {(Kind.SCOPE, "lan"): "deny", (Kind.REACH, "backbone"): "allow", (Kind.NAME, ""): "allow"}


@pytest.mark.parametrize("name", SHIPPED)
def test_no_shipped_scenario_needs_ipvs_but_those_about_it(name: str) -> None:
    kinds = {e.kind for e in read(find(name)).expectations}
    assert (Kind.VIP in kinds) == (name in NEED_IPVS)


def test_the_schema_knows_every_key_and_describes_it() -> None:
    published = schema()
    jsonschema.Draft202012Validator.check_schema(published)
    properties = published["properties"]
    assert isinstance(properties, dict)
    assert properties.keys() == Block.model_fields.keys()
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"hosts": 99}, published)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"expect": [{"from": "a", "to": "b", "reach": "deny"}]}, published)
    jsonschema.validate({"containers": {"c": {"host": "host1", "networks": ["lan"], "command": "sleep 1"}}}, published)


def test_the_shipped_schema_file_is_the_one_that_is_enforced() -> None:
    file = Path(block_module.__file__).with_name("x-swarmlab.schema.json")
    assert json.loads(file.read_text(encoding="utf-8")) == schema()


def test_importing_loads_no_parser() -> None:
    code = "import sys, swarmlab.scenario; print([m for m in ('yaml', 'jinja2', 'pydantic') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
