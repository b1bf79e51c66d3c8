"""What is planned: every pair, every address, every protocol; controls only where a deny needs them; nothing
vanishes.
"""

from __future__ import annotations

from collections import Counter

import pytest

from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import ALLOW, DENY, Kind
from swarmlab.model.probe import Address, Endpoint
from swarmlab.model.scenario import Container, LocalNetwork, Network
from swarmlab.probes.traffic.plan import plan
from tests.unit.probes import labs
from tests.unit.probes.labs import (
    ENDPOINTS,
    THREE_TIER,
    bridge,
    control,
    name,
    reach,
    scenario,
    service,
    task,
    three_tier,
)


def test_every_ordered_pair_of_tasks_is_probed_by_every_protocol() -> None:
    checks = [
        x for x in three_tier().probes if x.purpose == "check" and x.expectation and x.expectation.source == "front"
    ]
    allowed = [(x.source, x.target, x.protocol) for x in checks if x.target.startswith("api")]
    assert sorted(allowed) == sorted(
        (s, t, p) for s in ("front.1", "front.2") for t in ("api.1", "api.2") for p in ("tcp", "udp", "icmp")
    )


def test_an_address_on_another_network_is_not_probed_for_an_allow_on_one() -> None:
    assert {
        x.network for x in three_tier().probes if x.source == "front.1" and x.target == "api.1" and x.purpose == "check"
    } == {"front-net"}


def test_without_a_network_every_address_of_the_target_is_probed() -> None:
    two = task("b.1", "host2", ("10.0.1.9", "front-net"), ("10.0.2.9", "back-net"), ("172.18.0.3", "docker_gwbridge"))
    s = scenario(service("a", "front-net"), service("b", "back-net"), expect=[reach("a", "b", DENY, protocol="tcp")])
    p = plan(s, [task("a.1", "host1", ("10.0.1.8", "front-net")), two], timeout=1, run=labs.RUN)
    assert {(x.address, x.network) for x in p.probes} == {(a.address, a.network) for a in two.addresses}


def test_a_port_is_probed_by_tcp_and_udp_and_listened_on() -> None:
    s = scenario(service("a", "front-net"), service("b", "front-net"), expect=[reach("a", "b", port=5432)])
    p = plan(
        s,
        [task("a.1", "h", ("10.0.1.8", "front-net")), task("b.1", "h", ("10.0.1.9", "front-net"))],
        timeout=1,
        run=labs.RUN,
    )
    assert {(x.protocol, x.port) for x in p.probes} == {("tcp", 5432), ("udp", 5432)}
    assert p.extra_ports == {"b.1": (5432,)}
    assert p.port != 5432


def test_what_a_person_wrote_wins_over_what_was_derived() -> None:
    derived, written = (
        reach("a", "b", ALLOW, "front-net"),
        reach("a", "b", DENY, "front-net", protocol="udp", derived=False),
    )
    s = scenario(service("a", "front-net"), service("b", "front-net"), expect=[derived, written])
    p = plan(
        s,
        [task("a.1", "h", ("10.0.1.8", "front-net")), task("b.1", "h", ("10.0.1.9", "front-net"))],
        timeout=1,
        run=labs.RUN,
    )
    assert {(x.protocol, x.expectation.expected) for x in p.probes if x.expectation} == {
        ("tcp", ALLOW),
        ("udp", DENY),
        ("icmp", ALLOW),
    }


def test_both_of_two_contradicting_wishes_are_measured() -> None:
    wishes = [reach("a", "b", wish, "front-net", protocol="tcp", derived=False) for wish in (ALLOW, DENY)]
    s = scenario(service("a", "front-net"), service("b", "front-net"), expect=wishes)
    p = plan(
        s,
        [task("a.1", "h", ("10.0.1.8", "front-net")), task("b.1", "h", ("10.0.1.9", "front-net"))],
        timeout=1,
        run=labs.RUN,
    )
    assert {x.expectation.expected for x in p.probes if x.expectation} == {ALLOW, DENY}


def test_both_ends_of_a_deny_get_their_own_bridge_as_control() -> None:
    controls = {(x.source, x.target) for x in three_tier().probes if x.purpose == "control" and x.protocol == "udp"}
    assert {("bridge:back-net@host3", "db.1"), ("db.1", "bridge:back-net@host3")} <= controls
    assert {("bridge:front-net@host1", "front.1"), ("front.1", "bridge:front-net@host1")} <= controls
    assert not [c for c in controls if "api.1" in c], "api is in no deny, so it needs no control"


def test_every_ordered_pair_of_hosts_gets_a_control() -> None:
    pairs = {(x.source, x.target) for x in three_tier().probes if x.source.startswith("control@")}
    hosts = ["control@host1", "control@host2", "control@host3"]
    assert pairs == {(a, b) for a in hosts for b in hosts if a != b}


def test_control_tasks_are_not_probed_over_the_gateway_bridge() -> None:
    pair = [control("host1", "10.0.9.2"), control("host2", "10.0.9.3")]
    gw = [
        Endpoint(c.id, c.host, c.role, pid=7, addresses=(*c.addresses, Address("172.18.0.9", "docker_gwbridge")))
        for c in pair
    ]
    p = plan(scenario(), gw, timeout=1)
    assert {x.network for x in p.probes} == {"swarmlab-control-lab"}


def test_a_target_on_a_host_local_network_is_tried_from_its_host() -> None:
    s = scenario(
        local=[LocalNetwork("lan", ("host1", "host2"))],
        containers=[Container("left", "host1", "i", {"lan": ""}), Container("right", "host2", "i", {"lan": ""})],
        expect=[
            Expectation(
                kind=Kind.SCOPE,
                expected=DENY,
                because="b",
                source="left",
                target="right",
                network="lan",
                protocol="tcp",
            )
        ],
    )
    ends = [
        task("left", "host1", ("172.20.0.2", "lan"), role="container"),
        task("right", "host2", ("172.20.0.2", "lan"), role="container"),
    ]
    hosts = [
        Endpoint(f"host:{h}", h, "host", addresses=(Address(a, "underlay"),))
        for h, a in (("host1", "1.1.1.1"), ("host2", "1.1.1.2"))
    ]
    p = plan(s, [*ends, *hosts], timeout=1)
    controls = {(x.source, x.target) for x in p.probes if x.purpose == "control" and x.protocol == "tcp"}
    assert controls == {
        ("host:host2", "right"),
        ("right", "host:host2"),
        ("host:host1", "left"),
        ("left", "host:host1"),
    }
    assert [(x.source, x.target, x.address) for x in p.probes if x.purpose == "check"] == [
        ("left", "right", "172.20.0.2")
    ]


@pytest.mark.parametrize("deny", [False, True])
def test_sixty_tasks_on_three_hosts_stay_within_linear_controls(deny: bool) -> None:
    ends = [task(f"s{i // 6}.{i % 6 + 1}", f"host{i % 3}", (f"10.0.1.{i + 3}", "n")) for i in range(60)]
    ends += [bridge("n", f"host{i}", "10.0.1.1") for i in range(3)] + [
        control(f"host{i}", f"10.0.9.{i}") for i in range(3)
    ]
    wishes = [reach(f"s{a}", f"s{b}", DENY if deny else ALLOW, "n") for a in range(10) for b in range(10)]
    s = scenario(*(service(f"s{i}", "n", replicas=6) for i in range(10)), expect=wishes, networks=[Network("n")])
    count = Counter(x.purpose for x in plan(s, ends, timeout=1).probes)
    assert count["check"] == 60 * 59 * 3 == 10620
    assert count["control"] == (18 if not deny else 18 + 60 * 2 * 3)


def test_a_vip_is_probed_by_tcp_and_udp_from_every_task_of_the_source() -> None:
    wish = Expectation(kind=Kind.VIP, expected=ALLOW, because="b", source="front", target="api", network="front-net")
    s = scenario(service("front", "front-net", replicas=2), service("api", "front-net", mode="vip"), expect=[wish])
    p = plan(s, ENDPOINTS, timeout=1, vips={("api", "front-net"): "10.0.1.99", ("api", "back-net"): "10.0.2.99"})
    found = {(x.source, x.target, x.address, x.protocol) for x in p.probes if x.purpose == "check"}
    assert found == {(f, "api", "10.0.1.99", proto) for f in ("front.1", "front.2") for proto in ("tcp", "udp")}


def test_ids_count_from_zero_and_ports_and_runs_are_random() -> None:
    first, second = (plan(THREE_TIER, ENDPOINTS, timeout=1) for _ in range(2))
    assert [x.id for x in first.probes] == list(range(len(first.probes)))
    assert first.run != second.run
    assert len(bytes.fromhex(first.run)) == 8
    assert 1024 < first.port < 32768, "an ephemeral port might be in use by the tasks themselves"


# names


def accepted(s: object, ends: object, asker: str, asked: str, **more: object) -> tuple[frozenset[str], ...]:
    p = plan(s, ends, timeout=1, **more)  # type: ignore[arg-type]
    return next(n.accepted for n in p.names if n.source == asker and n.name == asked and n.purpose == "check")


def test_a_dnsrr_name_is_all_task_addresses_on_the_shared_network() -> None:
    assert accepted(THREE_TIER, ENDPOINTS, "front.1", "api") == (frozenset({"10.0.1.5", "10.0.1.6"}),)


def test_a_name_over_two_shared_networks_may_be_answered_from_either() -> None:
    s = scenario(
        service("a", "front-net", "back-net"),
        service("api", "front-net", "back-net", replicas=2),
        expect=[name("a", "api")],
    )
    ends = [*ENDPOINTS, task("a.1", "host1", ("10.0.1.50", "front-net"), ("10.0.2.50", "back-net"))]
    assert set(accepted(s, ends, "a.1", "api")) == {
        frozenset({"10.0.1.5", "10.0.1.6"}),
        frozenset({"10.0.2.5", "10.0.2.6"}),
    }


def test_a_vip_name_is_the_virtual_address_and_tasks_is_the_tasks() -> None:
    s = scenario(
        service("front", "front-net", replicas=2), service("api", "front-net", "back-net", replicas=2, mode="vip"),
        expect=[name("front", "api"), name("front", "api", asked="tasks.api")],
    )  # fmt: skip
    vips = {("api", "front-net"): "10.0.1.99"}
    assert accepted(s, ENDPOINTS, "front.1", "api", vips=vips) == (frozenset({"10.0.1.99"}),)
    assert accepted(s, ENDPOINTS, "front.1", "tasks.api", vips=vips) == (frozenset({"10.0.1.5", "10.0.1.6"}),)


def test_an_unknown_vip_is_not_replaced_by_a_guess() -> None:
    s = scenario(
        service("front", "front-net", replicas=2),
        service("api", "front-net", mode="vip"),
        expect=[name("front", "api")],
    )
    assert accepted(s, ENDPOINTS, "front.1", "api") == ()


def test_an_alias_of_two_services_is_answered_with_both() -> None:
    s = scenario(
        service("front", "front-net", replicas=2),
        service("api", "front-net", aliases=["web"]),
        service("c", "front-net", aliases=["web"]),
        expect=[name("front", "api", asked="web")],
    )
    ends = [*ENDPOINTS, task("c.1", "host1", ("10.0.1.60", "front-net"))]
    assert accepted(s, ends, "front.1", "web") == (frozenset({"10.0.1.5", "10.0.1.6", "10.0.1.60"}),)


def test_a_denied_name_that_another_service_bears_accepts_only_that_ones_addresses() -> None:
    s = scenario(
        service("front", "front-net", replicas=2),
        service("cache", "front-net", aliases=["db"]),
        service("db", "back-net"),
        expect=[name("front", "db", DENY)],
    )
    ends = [*ENDPOINTS, task("cache.1", "host1", ("10.0.1.60", "front-net"))]
    assert accepted(s, ends, "front.1", "db") == (frozenset({"10.0.1.60"}),)


def test_a_standalone_container_is_known_by_its_address_on_the_shared_network() -> None:
    s = scenario(
        containers=[Container("l", "host1", "i", {"back-net": ""}), Container("r", "host2", "i", {"back-net": ""})],
        expect=[name("l", "r")],
    )  # fmt: skip
    ends = [
        task("l", "host1", ("10.0.2.20", "back-net"), role="container"),
        task("r", "host2", ("10.0.2.21", "back-net"), role="container"),
    ]
    assert accepted(s, ends, "l", "r") == (frozenset({"10.0.2.21"}),)


def test_every_asker_is_controlled_by_its_own_name_and_a_denied_name_by_its_owner() -> None:
    controls = {(n.source, n.name) for n in three_tier().names if n.purpose == "control"}
    assert controls == {("front.1", "front"), ("front.2", "front"), ("api.1", "api"), ("api.2", "api"), ("db.1", "db")}
