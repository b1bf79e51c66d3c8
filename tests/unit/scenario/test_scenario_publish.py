"""What follows for a machine outside the Swarm, and what `expect` may say from there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from swarmlab.errors import FileRejected
from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import Kind
from swarmlab.model.scenario import Scenario

Read = Callable[..., Scenario]

SHOP = """
services:
  web: {image: x, ports: ["8080:80", "9000:9000/udp"]}
  db:
    image: x
    ports:
      - {target: 80, published: 9100, mode: host}
      - {target: 22, published: 2222, mode: host}
      - {target: 81, mode: host}
"""


def outside(scenario: Scenario) -> list[Expectation]:
    return [e for e in scenario.expectations if e.kind is Kind.PUBLISH]


def said(scenario: Scenario) -> set[tuple[str, str, str, int, str]]:
    return {(e.target, e.label, e.protocol, e.port, e.expected) for e in outside(scenario)}


def with_expect(*entries: str) -> str:
    lines = "\n".join(f"    - {{{entry}, because: b}}" for entry in entries)
    return f"{SHOP}x-swarmlab:\n  expect:\n{lines}\n"


def test_a_file_that_publishes_nothing_expects_nothing_from_outside(read_yaml: Read) -> None:
    assert outside(read_yaml("services: {web: {image: x}}")) == []
    assert outside(read_yaml("services: {web: {image: x, ports: ['80:80'], deploy: {replicas: 0}}}")) == []


def test_published_ports_ports_inside_and_one_that_nobody_uses(read_yaml: Read) -> None:
    scenario = read_yaml(SHOP)
    assert said(scenario) == {
        ("web", "ingress:80", "tcp", 8080, "allow"),
        ("web", "ingress:9000", "udp", 9000, "allow"),
        ("db", "host:80", "tcp", 9100, "allow"),
        ("db", "host:22", "tcp", 2222, "allow"),
        ("db", "host:81", "tcp", 0, "allow"),
        ("web", "unpublished", "tcp", 80, "deny"),
        ("db", "unpublished", "tcp", 81, "deny"),
        ("", "unused", "tcp", 0, "deny"),
    }, "22 is the hosts' own sshd, and 9000/udp is published as it is"
    assert {e.source for e in outside(scenario)} == {"outside"}
    shared = next(e for e in outside(scenario) if e.name == "unpublished" and e.port == 80)
    assert shared.because == "80/tcp is a port inside the tasks of web and db, and nothing publishes it"


def test_a_service_in_its_hosts_own_namespace_publishes_nothing(read_yaml: Read) -> None:
    text = "services: {web: {image: x, networks: [h], ports: ['80:80']}}\nnetworks: {h: {external: true, name: host}}"
    assert outside(read_yaml(text)) == []


def test_an_entry_overrides_what_is_derived_about_that_port_or_stands_beside_it(read_yaml: Read) -> None:
    scenario = read_yaml(
        with_expect("from: outside, to: web, port: 8080, reach: deny", "from: outside, to: db, port: 5432, reach: deny")
    )
    found = {(e.label, e.port): (e.expected, e.because) for e in outside(scenario)}
    assert found["ingress:80", 8080] == ("deny", "b")
    assert found["explicit", 5432] == ("deny", "b")
    assert found["host:80", 9100][0] == "allow"


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (
            "from: outside, to: web, port: 81, reach: allow",
            "web does not publish 81/tcp, so it cannot answer from outside; it publishes 8080/",
        ),
        ("from: outside, to: web, port: 8080, protocol: udp, reach: allow", "web does not publish 8080/udp"),
        ("from: outside, to: web, reach: allow", "give `port:`"),
        ("from: outside, to: web, name: allow", "`reach` only"),
        ("from: outside, to: wbe, port: 80, reach: deny", "did you mean"),
        ("from: web, to: outside, reach: deny", "outside"),
    ],
)
def test_what_cannot_be_meant_from_outside_is_refused(read_yaml: Read, entry: str, text: str) -> None:
    with pytest.raises(FileRejected) as caught:
        read_yaml(with_expect(entry))
    assert text in str(caught.value)


def test_two_entries_that_contradict_each_other_are_refused(read_yaml: Read) -> None:
    entries = [f"from: outside, to: web, port: 8080, reach: {answer}" for answer in ("allow", "deny")]
    with pytest.raises(FileRejected, match="contradiction"):
        read_yaml(with_expect(*entries))


def test_a_service_may_be_called_outside(read_yaml: Read) -> None:
    scenario = read_yaml(
        "services: {outside: {image: x}, web: {image: x}}\n"
        "x-swarmlab: {expect: [{from: outside, to: web, reach: allow, because: b}]}"
    )
    assert [e.kind for e in scenario.expectations if not e.derived] == [Kind.REACH]
