"""The text for `docker stack deploy`: the same meaning, nothing of ours."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml

from swarmlab.model.scenario import Scenario
from swarmlab.scenario import STAND_IN_IMAGE

Read = Callable[..., Scenario]

FULL = """
name: shop
services:
  api:
    image: shop/api:1
    build: .
    entrypoint: [run]
    command: serve $$PORT
    healthcheck: {test: "true"}
    configs: [c]
    secrets: [s]
    volumes: ["v:/v"]
    user: nobody
    working_dir: /srv
    env_file: api.env
    depends_on: [db]
    labels: {price: 5$$}
    ports: ["8080:80"]
    networks: {back: {aliases: [backend]}}
    deploy: {replicas: 2, placement: {constraints: [node.role == worker]}, resources: {reservations: {memory: 64G}}}
  db: {build: ./db, networks: [back]}
networks: {back: {driver_opts: {encrypted: ""}}}
configs: {c: {file: ./c}}
secrets: {s: {file: ./s}}
volumes: {v: }
x-swarmlab: {hosts: 2}
"""


def test_a_version_comes_in_and_what_is_ours_goes_out(read_yaml: Read) -> None:
    document = yaml.safe_load(
        read_yaml("name: n\nservices: {a: {image: x}}\nx-other: 1\nx-swarmlab: {hosts: 2}\n").compose
    )
    assert document == {"version": "3.8", "services": {"a": {"image": "x"}}, "x-other": 1}
    assert yaml.safe_load(read_yaml("version: '3.7'\nservices: {a: {image: x}}\n").compose)["version"] == "3.7"


def test_a_stand_in_keeps_networks_names_and_placement(read_yaml: Read) -> None:
    scenario = read_yaml(FULL, stand_in=True)
    document = yaml.safe_load(scenario.compose)
    assert document["services"]["api"] == {
        "image": STAND_IN_IMAGE,
        "labels": {"price": "5$$"},
        "ports": ["8080:80"],
        "networks": {"back": {"aliases": ["backend"]}},
        "deploy": {"replicas": 2, "placement": {"constraints": ["node.role == worker"]}},
    }
    assert document["services"]["db"] == {"image": STAND_IN_IMAGE, "networks": ["back"]}
    assert set(document) == {"version", "services", "networks"}
    assert scenario.images == (STAND_IN_IMAGE,)


def test_a_stand_in_replaces_standalone_containers_too(read_yaml: Read) -> None:
    text = """
services: {a: {image: x, networks: [n]}}
networks: {n: {attachable: true}}
x-swarmlab: {containers: {c: {host: host1, image: y, command: [serve], networks: [n]}}}
"""
    container = read_yaml(text, stand_in=True).containers["c"]
    assert (container.image, container.command) == (STAND_IN_IMAGE, ())
    assert read_yaml(text).images == ("x", "y")


TRICKY = [
    "1e3",
    "'1e3'",
    "'yes'",
    "yes",
    "0o17",
    "22:22",
    "'~'",
    "~",
    '"a\\tb\\nc"',
    "' lead'",
    "1.10",
    "'#x'",
    "é ☃",
    "''",
    "2001-01-01",
]


@pytest.mark.parametrize("given", TRICKY)
def test_values_that_are_not_ours_keep_their_meaning(read_yaml: Read, given: str) -> None:
    text = f"version: '3.8'\nservices:\n  a:\n    image: x\n    environment:\n      V: {given}\n"
    assert yaml.safe_load(read_yaml(text).compose) == yaml.safe_load(text)
    assert (given[0] in "'\"") == ('V: "' in read_yaml(text).compose), "quoted stays quoted, plain stays plain"


def test_keys_that_older_parsers_take_for_truth_values_are_quoted(read_yaml: Read) -> None:
    compose = read_yaml("services: {a: {image: x, environment: {N: a, on: b, n.x: c}}}\n").compose
    assert '"N": a' in compose and '"on": b' in compose and "\n      n.x: c" in compose
