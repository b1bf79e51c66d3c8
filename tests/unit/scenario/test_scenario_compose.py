"""The Compose part: what services, networks and ports mean."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from swarmlab.errors import FileRejected
from swarmlab.model.scenario import PublishedPort, Scenario

Read = Callable[..., Scenario]


def test_networks_in_list_and_mapping_form(read_yaml: Read) -> None:
    scenario = read_yaml(
        "services:\n  a: {image: x, networks: [n, m]}\n  b: {image: x, networks: {n: {aliases: [bee, b2]}, m: }}\n"
        "networks: {n: , m: {}}\n"
    )
    assert scenario.services["a"].networks == {"n": (), "m": ()}
    assert scenario.services["b"].networks == {"n": ("bee", "b2"), "m": ()}


@pytest.mark.parametrize("given", ["", ", networks: []", ", networks: {}", ", networks: "])
def test_without_networks_a_service_is_on_the_implicit_default(read_yaml: Read, given: str) -> None:
    scenario = read_yaml(f"services: {{a: {{image: x{given}}}}}\n")
    assert scenario.services["a"].networks == {"default": ()}
    assert scenario.networks["default"].deployed_as("shop") == "shop_default"
    assert scenario.networks["default"].driver == "overlay"


def test_a_declared_default_keeps_its_options(read_yaml: Read) -> None:
    scenario = read_yaml("services: {a: {image: x}}\nnetworks: {default: {internal: true}}\n")
    assert scenario.networks["default"].internal


def test_network_properties(read_yaml: Read) -> None:
    text = """
services: {a: {image: x, networks: [n, old, new, own]}}
networks:
  n:
    driver_opts: {encrypted: "", com.docker.network.driver.mtu: 1400}
    attachable: true
    ipam: {config: [{subnet: 10.9.0.0/24, gateway: 10.9.0.1}, {subnet: 10.8.0.0/24}]}
  old: {external: {name: corp-net}}
  new: {external: true}
  own: {name: exact}
"""
    networks = read_yaml(text).networks
    assert networks["n"].options == {"encrypted": "", "com.docker.network.driver.mtu": "1400"}
    assert networks["n"].subnets == ("10.9.0.0/24", "10.8.0.0/24")
    assert networks["n"].attachable and networks["n"].encrypted
    names = {key: network.deployed_as("shop") for key, network in networks.items()}
    assert names == {"n": "shop_n", "old": "corp-net", "new": "new", "own": "exact"}
    assert networks["old"].external and not networks["own"].external


def test_deploy(read_yaml: Read) -> None:
    text = """
services:
  a: {image: x, deploy: {mode: global, endpoint_mode: dnsrr}}
  b: {image: x, deploy: {replicas: 4}}
  c: {image: x}
"""
    services = read_yaml(text).services
    assert services["a"].is_global and services["a"].endpoint_mode == "dnsrr"
    assert (services["b"].replicas, services["c"].replicas, services["b"].endpoint_mode) == (4, 1, "vip")


PORTS = {
    '"80"': [(80, 0, "tcp", "ingress")],
    "8080:80": [(80, 8080, "tcp", "ingress")],
    "22:22": [(22, 22, "tcp", "ingress")],  # a number in base 60 for YAML 1.1
    '"127.0.0.1:53:5353/udp"': [(5353, 53, "udp", "ingress")],
    '"[::1]:53:5353"': [(5353, 53, "tcp", "ingress")],
    '"3000-3001:80-81"': [(80, 3000, "tcp", "ingress"), (81, 3001, "tcp", "ingress")],
    '"3000-3001:80"': [(80, 3000, "tcp", "ingress"), (80, 3001, "tcp", "ingress")],
    "{target: 80, published: 8080, mode: host, protocol: udp}": [(80, 8080, "udp", "host")],
    "{target: 80}": [(80, 0, "tcp", "ingress")],
}


@pytest.mark.parametrize("given", PORTS)
def test_ports(read_yaml: Read, given: str) -> None:
    scenario = read_yaml(f"services:\n  a:\n    image: x\n    ports:\n      - {given}\n")
    assert scenario.services["a"].ports == tuple(PublishedPort(*port) for port in PORTS[given])


def test_anchors_and_merge_keys(read_yaml: Read) -> None:
    text = """
x-base: &base {image: "x:1", deploy: {replicas: 3}}
services:
  a: {<<: *base}
  b: {<<: *base, image: "y:2"}
"""
    services = read_yaml(text).services
    assert (services["a"].image, services["a"].replicas) == ("x:1", 3)
    assert (services["b"].image, services["b"].replicas) == ("y:2", 3)


def test_variables(read_yaml: Read) -> None:
    text = """
services:
  a:
    image: "x:${TAG}-${KIND:-slim}-${NONE-}-${TAG:+t}"
    command: echo $$HOME $TAG
    deploy: {replicas: "${N}"}
x-swarmlab:
  vars: {TAG: 1.10, N: 2}
  hosts: ${N}
  summary: costs $5
"""
    scenario = read_yaml(text, {"N": "3"})
    assert scenario.services["a"].image == "x:1.10-slim--t"
    assert (scenario.services["a"].replicas, scenario.hosts) == (3, 3)
    assert scenario.variables == {"TAG": "1.10", "N": "3"}
    assert "echo $$HOME 1.10" in scenario.compose
    assert "replicas: 3\n" in scenario.compose, "the official parser wants a number here"
    assert scenario.summary == "costs $5"


def test_the_environment_is_not_asked(read_yaml: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAG", "from-the-environment")
    with pytest.raises(FileRejected, match="the variable TAG is not set"):
        read_yaml("services: {a: {image: 'x:${TAG}'}}\n")


@pytest.mark.parametrize("value", ["a\nb", "a\x1b[0m", "a\ue000b", "x" * 5000])
def test_values_that_are_not_one_line_of_text(read_yaml: Read, value: str) -> None:
    with pytest.raises(FileRejected, match="--set TAG: "):
        read_yaml("services: {a: {image: 'x:${TAG}'}}\n", {"TAG": value})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("shop.yaml", "shop"),
        ("My Shop!.yml", "my-shop"),
        ("stack.prod.yaml.j2", None),
        ("###.yaml", "scenario"),
        ("a" * 90 + ".yaml", "a" * 40),
    ],
)
def test_the_scenario_has_a_name_fit_for_a_lab(read_yaml: Read, name: str, expected: str | None) -> None:
    found = read_yaml("services: {a: {image: x}}\n", name=name).name
    assert found == expected if expected else found.startswith("test-")


def test_the_files_own_name_comes_first(read_yaml: Read) -> None:
    scenario = read_yaml("name: corner-shop\nservices: {a: {image: x}}\n")
    assert scenario.name == "corner-shop"
    assert "corner-shop" not in scenario.compose
