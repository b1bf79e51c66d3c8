"""What a scenario needs of a kernel: each condition knocked out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from swarmlab.model.scenario import Container, Network, PublishedPort, Scenario, Service
from swarmlab.scenario.needs import Need, needs

SECRET, PLAIN, HOSTS = (
    Network("secret", options={"encrypted": ""}),
    Network("plain"),
    Network("host", driver="host", external=True),
)
DNSRR = Service("one", "busybox", {"secret": ()}, endpoint_mode="dnsrr")
SCENARIO = Scenario("shop", Path("x"), "", {"one": DNSRR}, {"secret": SECRET, "plain": PLAIN, "host": HOSTS}, hosts=2)


def of(service: Service, **changes: object) -> dict[str, tuple[str, ...]]:
    return {need.feature: need.who for need in needs(replace(SCENARIO, services={service.name: service}, **changes))}  # type: ignore[arg-type]


def test_an_encrypted_overlay_needs_esp_whatever_the_options_value() -> None:
    assert needs(SCENARIO) == (Need("esp", ("network secret",)),)
    said_no = {"secret": Network("secret", options={"encrypted": "false"})}
    assert needs(replace(SCENARIO, networks=said_no)) == (Need("esp", ("network secret",)),), (
        "the engine looks at the key alone"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"hosts": 1},  # nothing crosses a wire
        {"networks": {"secret": Network("secret")}},
        {"services": {"one": replace(DNSRR, networks={"plain": ()})}},  # a network that nothing is on is never made
    ],
)
def test_without_one_condition_there_is_no_need_for_esp(changes: dict[str, object]) -> None:
    assert needs(replace(SCENARIO, **changes)) == ()  # type: ignore[arg-type]


def test_a_standalone_container_is_as_good_as_a_service() -> None:
    container = Container("c", "host1", "busybox", {"secret": ""})
    assert [n.feature for n in needs(replace(SCENARIO, services={}, containers={"c": container}))] == ["esp"]


@pytest.mark.parametrize(
    ("service", "needed"),
    [
        (replace(DNSRR, networks={"plain": ()}), False),
        (replace(DNSRR, networks={"plain": ()}, endpoint_mode="vip"), True),
        (replace(DNSRR, networks={"host": ()}, endpoint_mode="vip"), False),
        (replace(DNSRR, networks={"plain": ()}, ports=(PublishedPort(80, 8080, "tcp", "host"),)), False),
        (replace(DNSRR, networks={"host": ()}, ports=(PublishedPort(80, 8080, "tcp", "ingress"),)), True),
    ],
)
def test_virtual_addresses_and_ports_on_every_host_need_ipvs(service: Service, needed: bool) -> None:
    assert of(service) == ({"ip_vs": ("service one",)} if needed else {})
    assert of(service, hosts=1) == of(service), "a balancer works on a single host too"


def test_only_some_are_named() -> None:
    assert str(Need("esp", ("network a",))) == "ESP, which network a needs"
    assert str(Need("ip_vs", tuple("abcde"))) == "IPVS, which a, b, c and 2 more need"
