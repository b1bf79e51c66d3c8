"""What follows from a file's networks, and what `expect` makes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from swarmlab.errors import FileRejected
from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import Kind
from swarmlab.model.scenario import Scenario

Read = Callable[..., Scenario]

TIERS = """
services:
  front: {image: x, networks: [outer]}
  api: {image: x, networks: {outer: {aliases: [backend]}, inner: }, deploy: {replicas: 2, endpoint_mode: dnsrr}}
  db: {image: x, networks: {inner: {aliases: [sql]}}}
networks:
  outer: {ipam: {config: [{subnet: 10.9.0.0/24}]}}
  inner: {internal: true, driver_opts: {encrypted: "false"}}
"""
LOCAL = """
services: {w: {image: x, networks: [back]}}
networks: {back: {attachable: true}}
x-swarmlab:
  hosts: 2
  local_networks: {lan: {subnet: 172.30.0.0/24}}
  containers:
    l1: {host: host1, networks: {lan: {address: 172.30.0.9}}}
    l2: {host: host1, networks: [lan]}
    r: {host: host2, networks: [lan, back]}
"""


def of(scenario: Scenario, kind: Kind, source: str = "", target: str = "") -> list[Expectation]:
    return [e for e in scenario.expectations if (e.kind, e.source, e.target) == (kind, source, target)]


def reach(scenario: Scenario, source: str, target: str) -> dict[str, str]:
    return {e.network: e.expected for e in of(scenario, Kind.REACH, source, target)}


def names(scenario: Scenario, source: str, target: str) -> dict[str, str]:
    return {e.name: e.expected for e in of(scenario, Kind.NAME, source, target)}


def test_services_reach_each_other_on_shared_networks_only(read_yaml: Read) -> None:
    scenario = read_yaml(TIERS)
    assert reach(scenario, "front", "api") == {"outer": "allow"}
    assert reach(scenario, "api", "front") == {"outer": "allow"}
    assert reach(scenario, "front", "db") == {"": "deny"}, "by any address of db"
    assert reach(scenario, "db", "front") == {"": "deny"}


def test_a_service_meets_itself_only_if_it_has_several_tasks(read_yaml: Read) -> None:
    scenario = read_yaml(TIERS)
    assert reach(scenario, "api", "api") == {"outer": "allow", "inner": "allow"}
    assert reach(scenario, "front", "front") == {}


def test_a_service_without_tasks_is_left_out(read_yaml: Read) -> None:
    scenario = read_yaml("services: {a: {image: x, deploy: {replicas: 0}}, b: {image: x}}\n")
    assert not [e for e in scenario.expectations if "a" in (e.source, e.target)]


def test_names_follow_shared_networks(read_yaml: Read) -> None:
    scenario = read_yaml(TIERS)
    assert names(scenario, "front", "api") == {"api": "allow", "tasks.api": "allow", "backend": "allow"}
    assert names(scenario, "db", "api") == {"api": "allow", "tasks.api": "allow"}, "the alias exists on outer only"
    assert names(scenario, "front", "db") == {"db": "deny", "tasks.db": "deny", "sql": "deny"}


def test_an_alias_that_someone_else_answers_for_is_not_denied(read_yaml: Read) -> None:
    text = """
services:
  a: {image: x, networks: [one]}
  b: {image: x, networks: {two: {aliases: [cache]}}}
  c: {image: x, networks: {one: {aliases: [cache]}}}
networks: {one: , two: }
"""
    assert names(read_yaml(text), "a", "b") == {"b": "deny", "tasks.b": "deny"}


def test_virtual_addresses_where_there_are_some(read_yaml: Read) -> None:
    scenario = read_yaml(TIERS)
    assert [e.network for e in of(scenario, Kind.VIP, "api", "front")] == ["outer"]
    assert of(scenario, Kind.VIP, "front", "api") == [], "api is dnsrr"


def test_properties_of_networks(read_yaml: Read) -> None:
    found = {(e.network, e.name): e.expected for e in of(read_yaml(TIERS), Kind.NETWORK)}
    assert found["outer", "subnets"] == "10.9.0.0/24"
    assert found["inner", "encrypted"] == "true", "the option's presence decides, not its value"
    assert found["inner", "option:encrypted"] == "false"
    assert (found["inner", "internal"], found["outer", "internal"]) == ("true", "false")
    assert {found[key, "scope"] for key in ("inner", "outer")} == {"swarm"}


def test_an_external_network_promises_its_scope_only(read_yaml: Read) -> None:
    scenario = read_yaml("services: {a: {image: x, networks: [n]}}\nnetworks: {n: {external: true}, unused: }\n")
    assert [(e.network, e.name, e.expected) for e in of(scenario, Kind.NETWORK)] == [("n", "scope", "swarm")]


def test_a_service_on_its_hosts_own_network_is_promised_nothing_to_deny(read_yaml: Read) -> None:
    text = "services: {a: {image: x, networks: [h]}, b: {image: x}}\nnetworks: {h: {external: true, name: host}}\n"
    assert not [e for e in read_yaml(text).expectations if "a" in (e.source, e.target)]


def test_node_local_networks_end_at_their_host(read_yaml: Read) -> None:
    scenario = read_yaml(LOCAL)
    assert reach(scenario, "l1", "l2") == {"lan": "allow"}
    assert names(scenario, "l1", "l2") == {"l2": "allow"}
    assert [(e.network, e.expected) for e in of(scenario, Kind.SCOPE, "l1", "r")] == [("lan", "deny")]
    assert reach(scenario, "l1", "r") == {"back": "deny"}
    assert names(scenario, "l1", "r") == {"r": "deny"}
    assert reach(scenario, "w", "r") == {"back": "allow"}


def expecting(text: str, *entries: str) -> str:
    return text + "x-swarmlab:\n  expect:\n" + "".join(f"    - {{{entry}, because: told}}\n" for entry in entries)


def test_an_entry_overrides_every_derived_one_that_it_covers(read_yaml: Read) -> None:
    scenario = read_yaml(expecting(TIERS, "from: front, to: api, reach: deny"))
    found = of(scenario, Kind.REACH, "front", "api")
    assert {e.network for e in found} == {""}
    assert {(e.expected, e.because, e.derived) for e in found} == {("deny", "told", False)}
    assert all(e.place is not None and e.place.line == 11 for e in found)


def test_an_entry_for_one_network_leaves_the_others(read_yaml: Read) -> None:
    scenario = read_yaml(expecting(TIERS, "from: front, to: api, reach: allow, network: inner"))
    assert reach(scenario, "front", "api") == {"outer": "allow", "inner": "allow"}


def test_an_entry_for_one_protocol_splits(read_yaml: Read) -> None:
    scenario = read_yaml(expecting(TIERS, "from: front, to: api, network: outer, protocol: udp, reach: deny"))
    found = [(e.network, e.protocol, e.expected, e.derived) for e in of(scenario, Kind.REACH, "front", "api")]
    assert sorted(found) == [
        ("outer", "icmp", "allow", True), ("outer", "tcp", "allow", True), ("outer", "udp", "deny", False),
    ]  # fmt: skip


def test_an_entry_with_a_port_stands_beside(read_yaml: Read) -> None:
    entries = (
        "from: front, to: api, reach: allow, port: 80",
        "from: api, to: db, port: 53, protocol: udp, reach: deny",
    )
    scenario = read_yaml(expecting(TIERS, *entries))
    found = [(e.network, e.protocol, e.port, e.expected) for e in of(scenario, Kind.REACH, "front", "api")]
    assert found == [("outer", "", 0, "allow"), ("", "tcp", 80, "allow")]
    assert ("", "udp", 53, "deny") in [
        (e.network, e.protocol, e.port, e.expected) for e in of(scenario, Kind.REACH, "api", "db")
    ]


def test_the_narrower_entry_decides_in_whatever_order(read_yaml: Read) -> None:
    entries = ["from: front, to: api, reach: allow, network: outer", "from: front, to: api, reach: deny"]
    for order in (entries, entries[::-1]):
        assert reach(read_yaml(expecting(TIERS, *order)), "front", "api") == {"outer": "allow", "": "deny"}


def test_incomparable_entries_contradict(read_yaml: Read) -> None:
    entries = ("from: front, to: api, network: outer, reach: deny", "from: front, to: api, protocol: tcp, reach: allow")
    with pytest.raises(FileRejected, match=r"shop\.yaml:12:7: .*contradiction.* at .*shop\.yaml:11:7"):
        read_yaml(expecting(TIERS, *entries))


def test_names_can_be_added_and_denied(read_yaml: Read) -> None:
    entries = ("from: front, to: api, name: allow, as: shop-api", "from: front, to: api, name: deny, as: backend")
    scenario = read_yaml(expecting(TIERS, *entries))
    assert names(scenario, "front", "api") == {
        "api": "allow",
        "tasks.api": "allow",
        "backend": "deny",
        "shop-api": "allow",
    }


def test_a_network_entry_overrides_a_property_and_adds_others(read_yaml: Read) -> None:
    scenario = read_yaml(
        expecting(TIERS, "network: inner, encrypted: false, subnet: 10.7.0.0/24, options: {mtu: 1400}")
    )
    found = {e.name: (e.expected, e.derived) for e in of(scenario, Kind.NETWORK) if e.network == "inner"}
    assert found["encrypted"] == ("false", False)
    assert found["subnets"] == ("10.7.0.0/24", False)
    assert found["option:mtu"] == ("1400", False)
    assert found["internal"] == ("true", True)


def test_an_entry_about_a_pair_that_nothing_follows_for_is_added(read_yaml: Read) -> None:
    scenario = read_yaml(
        expecting(TIERS, "from: front, to: front, reach: allow", "from: front, to: front, name: allow")
    )
    assert [(e.network, e.expected) for e in of(scenario, Kind.REACH, "front", "front")] == [("", "allow")]
    assert names(scenario, "front", "front") == {"front": "allow"}
