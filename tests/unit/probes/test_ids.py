"""Ids of checks and findings are a contract: the same from release to release. One of every shape that there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from swarmlab.model.check import Check
from swarmlab.model.evidence import Measurement, NetworkEvidence
from swarmlab.model.kinds import DENY, Kind
from swarmlab.model.probe import PortInUse
from swarmlab.model.scenario import LocalNetwork, PublishedPort
from swarmlab.probes.publish.balance import askers, balance_checks
from swarmlab.probes.publish.judge import port_checks, unmeasured
from swarmlab.probes.publish.mesh import mesh_checks
from swarmlab.probes.publish.plan import probe_of
from swarmlab.probes.publish.published import Published
from swarmlab.probes.publish.run import PublishMeasurement
from swarmlab.probes.traffic.facts import Facts
from swarmlab.probes.traffic.plan import plan
from swarmlab.probes.wire.judge import judge_wire
from tests.unit.probes import ports, test_judge_mtu, wires
from tests.unit.probes.labs import RUN, judge, name, reach, scenario, service, task
from tests.unit.probes.test_balance import vip

EXPECT = (
    reach("a", "b", network="front-net"),
    reach("a", "b", network="front-net", protocol="tcp", port=80),
    reach("a", "b", DENY, "front-net", protocol="udp", derived=False),
    reach("a", "b", "allow", "front-net", protocol="udp", derived=False),
    reach("a", "b", DENY, network="docker_gwbridge"),
    reach("a", "gone", network="front-net", protocol="tcp", port=80),
    reach("gone", "a"),
    replace(reach("a", "b", DENY, "lan", protocol="icmp"), kind=Kind.SCOPE),
    vip("b"),
    vip("gone"),
    name("a", "b"),
    name("a", "b", asked="tasks.b"),
    name("a", "gone", asked="alias"),
    replace(reach("", "", "overlay", "front-net"), kind=Kind.NETWORK, name="driver"),
    replace(reach("", "", "1400", "front-net"), kind=Kind.NETWORK, name="option:mtu"),
    replace(reach("", "", "bridge", "lan"), kind=Kind.NETWORK, name="driver"),
)
LAB = scenario(
    service("a", "front-net"),
    service("b", "front-net", replicas=2, mode="vip"),
    service("gone", "front-net", mode="vip"),
    expect=EXPECT,
    local=[LocalNetwork("lan", ())],
)
ENDS = (
    task("a.1", "host1", ("10.0.1.3", "front-net")),
    task("b.1", "host1", ("10.0.1.4", "front-net"), ("10.0.1.5", "front-net"), ("10.9.0.2", "lan")),
    task("b.2", "host2", ("10.0.1.6", "front-net")),
)


def traffic_and_network() -> Iterator[Check]:
    made = plan(LAB, ENDS, timeout=1.0, run=RUN, port=21000, vips={("b", "front-net"): "10.0.1.99"})
    yield from judge(LAB, made, Measurement(), [NetworkEvidence("front-net", "host1", found=True)])
    yield from balance_checks(Facts(LAB, made, Measurement()), askers(made))


def publish() -> Iterator[Check]:
    given = [PublishedPort(80, 8080, "tcp", "host"), PublishedPort(443, 8443, "tcp", "ingress")]
    given += [PublishedPort(53, 0, "udp", "host"), PublishedPort(54, 0, "udp", "ingress")]
    made = ports.lab(*given)
    in_use = (
        PortInUse(service="web", protocol="udp", published=30000, target=54, host=""),
        PortInUse(service="web", protocol="udp", published=32768, target=53, host="host1"),
        PortInUse(service="web", protocol="udp", published=32769, target=53, host="host2"),
    )
    found = dict(enumerate(ports.host_ports(made, in_use)[0].values()))
    probes = tuple(probe_of(i, d, ports.ADDRESSES) for i, d in found.items())
    planned = replace(ports.proven().plan, probes=probes)
    published = Published(made, planned, PublishMeasurement(Measurement()), found)
    yield from port_checks(published)
    yield from mesh_checks(published)
    yield from (unmeasured(e, "because") for e in made.expectations)


def wire() -> Iterator[Check]:
    p = wires.planned()
    yield from judge_wire(wires.pair(), p, wires.honest(p))
    alone = wires.pair(wires.expect("elsewhere", "clear", derived=False))
    yield from judge_wire(alone, wires.planned(alone), wires.honest(wires.planned(alone)))


def test_the_ids_of_checks_are_those_of_the_first_release() -> None:
    checks = [*traffic_and_network(), *publish(), *test_judge_mtu.judged(test_judge_mtu.honest()).values(), *wire()]
    assert {check.kind for check in checks} == FIRST
    assert "\n".join(sorted({check.id for check in checks})) == IDS.strip()


FIRST = {"reach", "name", "network", "scope", "vip", "wire", "mtu", "publish"}
IDS = """
mtu:back-net@host2->host3
mtu:back-net@host2->host3/bulk
mtu:back-net@host3->host2
mtu:back-net@host3->host2/bulk
mtu:front-net@host1->host2
mtu:front-net@host1->host2/bulk
mtu:front-net@host1->host3
mtu:front-net@host1->host3/bulk
mtu:front-net@host2->host1
mtu:front-net@host2->host1/bulk
mtu:front-net@host2->host3
mtu:front-net@host2->host3/bulk
mtu:front-net@host3->host1
mtu:front-net@host3->host1/bulk
mtu:front-net@host3->host2
mtu:front-net@host3->host2/bulk
name:a->alias
name:a.1->alias
name:a.1->b
name:a.1->tasks.b
network:front-net/driver@host1
network:front-net/driver@host2
network:front-net/option:mtu@host1
network:front-net/option:mtu@host2
network:lan/driver@host1
publish:outside->anybody/tcp:unused
publish:outside->anybody@host1/tcp:unused
publish:outside->anybody@host2/tcp:unused
publish:outside->anybody@host3/tcp:unused
publish:outside->web/tcp:443
publish:outside->web/tcp:80
publish:outside->web/tcp:8080
publish:outside->web/tcp:8443
publish:outside->web/udp:53
publish:outside->web/udp:54
publish:outside->web/udp:host-53
publish:outside->web/udp:ingress-54
publish:outside->web@host1/tcp:443
publish:outside->web@host1/tcp:80
publish:outside->web@host1/tcp:8080
publish:outside->web@host1/tcp:8443
publish:outside->web@host1/tcp:8443/balance
publish:outside->web@host1/udp:53
publish:outside->web@host1/udp:54
publish:outside->web@host1/udp:any-53
publish:outside->web@host1/udp:any-54
publish:outside->web@host1/udp:any-54/balance
publish:outside->web@host2/tcp:443
publish:outside->web@host2/tcp:80
publish:outside->web@host2/tcp:8080
publish:outside->web@host2/tcp:8443
publish:outside->web@host2/tcp:8443/balance
publish:outside->web@host2/udp:53
publish:outside->web@host2/udp:54
publish:outside->web@host2/udp:any-53
publish:outside->web@host2/udp:any-54
publish:outside->web@host2/udp:any-54/balance
publish:outside->web@host3/tcp:443
publish:outside->web@host3/tcp:80
publish:outside->web@host3/tcp:8080
publish:outside->web@host3/tcp:8443
publish:outside->web@host3/tcp:8443/balance
publish:outside->web@host3/udp:53
publish:outside->web@host3/udp:54
publish:outside->web@host3/udp:any-53-of-host1
publish:outside->web@host3/udp:any-53-of-host2
publish:outside->web@host3/udp:any-54
publish:outside->web@host3/udp:any-54/balance
reach:a->gone@front-net/tcp:80
reach:a.1->b.1@docker_gwbridge
reach:a.1->b.1@front-net/icmp
reach:a.1->b.1@front-net/icmp#2
reach:a.1->b.1@front-net/tcp
reach:a.1->b.1@front-net/tcp#2
reach:a.1->b.1@front-net/tcp:80
reach:a.1->b.1@front-net/tcp:80#2
reach:a.1->b.1@front-net/udp
reach:a.1->b.1@front-net/udp!allow
reach:a.1->b.1@front-net/udp#2
reach:a.1->b.1@front-net/udp#2!allow
reach:a.1->b.2@docker_gwbridge
reach:a.1->b.2@front-net/icmp
reach:a.1->b.2@front-net/tcp
reach:a.1->b.2@front-net/tcp:80
reach:a.1->b.2@front-net/udp
reach:a.1->b.2@front-net/udp!allow
reach:gone->a@
scope:a.1->b.1@lan/icmp
scope:a.1->b.2@lan/icmp
vip:a->gone@front-net
vip:a.1->b@front-net/balance
vip:a.1->b@front-net/tcp
vip:a.1->b@front-net/udp
wire:elsewhere
wire:plain-net@host1->host2
wire:plain-net@host2->host1
wire:secret-net@host1->host2
wire:secret-net@host2->host1
"""
