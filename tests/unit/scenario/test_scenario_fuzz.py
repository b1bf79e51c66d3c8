"""Whatever the file holds: a Scenario or FileRejected, never anything else; and what is accepted deploys with the same
meaning.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from swarmlab.errors import FileRejected
from swarmlab.model.scenario import Scenario
from swarmlab.scenario import read, render_child, warnings

QUICK = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
WORDS = (  # noqa: SIM905
    "services networks x-swarmlab image deploy mode global replicas endpoint_mode dnsrr ports target aliases default "
    "driver driver_opts encrypted internal external name ipam config subnet 10.9.0.0/24 hosts managers vars "
    "local_networks lan containers host host1 address expect from to reach allow deny because network protocol port "
    "questions ask answer version 3.8 a b << ${V} $ build 80:80 command"
).split()
leaves = st.sampled_from(WORDS) | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
keys = st.sampled_from(WORDS) | st.integers(0, 3) | st.text(max_size=4)
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5), max_leaves=25
)


def part(*names: str) -> st.SearchStrategy[object]:
    return st.dictionaries(st.sampled_from(names), trees, max_size=4)


service = part("image", "networks", "deploy", "ports", "build", "command")
network = st.none() | part("driver", "driver_opts", "internal", "external", "ipam", "name", "attachable")
said = dict.fromkeys(("from", "to", "reach", "name", "network", "port", "as", "scope"), trees)
pair = st.fixed_dictionaries({"because": st.just("x")}, optional=said)
block = st.fixed_dictionaries(
    {},
    optional={
        "expect": st.lists(pair, max_size=3),
        "hosts": leaves,
        "managers": leaves,
        "vars": trees,
        "local_networks": st.dictionaries(st.sampled_from("lm"), st.none() | part("hosts", "subnet", "driver")),
        "containers": st.dictionaries(st.sampled_from("cd"), part("host", "networks", "image", "command")),
    },
)
documents = st.fixed_dictionaries(
    {"services": trees | st.dictionaries(st.sampled_from("ab"), service)},
    optional={
        "networks": trees | st.dictionaries(st.sampled_from("nm"), network),
        "x-swarmlab": trees | block,
        "version": leaves,
        "name": leaves,
    },
)


def outcome(file: Path, data: bytes, values: dict[str, str] | None = None) -> Scenario | None:
    file.write_bytes(data)
    try:
        scenario = read(file, values)
    except FileRejected as error:
        assert all(line.isprintable() for line in str(error).split("\n")), "a complaint must be safe for a terminal"
        return None
    warnings(scenario)
    read(file, values, stand_in=True)
    return scenario


@QUICK
@given(st.binary(max_size=200))
@example(b"\xff\xfe")
@example(b"%YAML 9.9\n---\na: b\n")
@example(b"? [a, b]\n: c\n")
@example(b"!!python/object/apply:os.system [id]")
@example(b"services: !!binary aGk=\n")
@example(b"&a *a")
@example(b"<<: *x")
@example(b"\xef\xbb\xbfservices: {a: {image: x}}\n")
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    outcome(tmp_path / "f.yaml", data)


@QUICK
@given(st.text(st.sampled_from("ab:- \n\t[]{},#&*!|>'\"%@`?<=$\\~"), max_size=60))
@example("[" * 5000)
@example("{a: " * 5000)
@example("- " * 5000)
@example("? " * 3000)
def test_anything_that_looks_like_yaml(tmp_path: Path, text: str) -> None:
    outcome(tmp_path / "f.yaml", text.encode())


@QUICK
@given(documents)
def test_anything_that_looks_like_a_scenario(tmp_path: Path, document: object) -> None:
    text = yaml.safe_dump(document, allow_unicode=True)
    scenario = outcome(
        tmp_path / "f.yaml", text.encode("utf-8", "surrogatepass"), {"V": "1"} if "${V}" in text else None
    )
    if scenario is not None:
        deployed = yaml.safe_load(scenario.compose)
        assert set(deployed["services"]) >= set(scenario.services)
        assert "x-swarmlab" not in deployed


@QUICK
@given(st.text(st.sampled_from("ab1.|({[]})%#- \n\"'_~+*"), max_size=40))
@example("{{ 10 ** 10 ** 3 }}")
@example("{{ range(10) | list | sum(start='x') }}")
@example("{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}")
@example("{{ 1 / 0 }}")
@example("{{ 'x'.encode('ascii').decode('nothing') }}")
@example("{{ ''|format(1) }}{{ [1][5] }}{{ 'x'|int(base=99) }}")
def test_any_template_answers(text: str) -> None:
    answer = render_child.render(text, {"a": "1"})
    assert "text" in answer or isinstance(answer["error"], str)


def test_a_huge_number_of_parties_is_refused(tmp_path: Path) -> None:
    text = "services:\n" + "".join(f"  s{n}: {{image: x}}\n" for n in range(201))
    assert outcome(tmp_path / "f.yaml", text.encode()) is None


def test_a_file_of_one_megabyte_is_read_or_refused_in_reasonable_time(tmp_path: Path) -> None:
    with pytest.raises(FileRejected, match="more than 50000 values"):
        read_all(tmp_path / "f.yaml", b"- a\n" * 260_000)


def read_all(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    read(file)
