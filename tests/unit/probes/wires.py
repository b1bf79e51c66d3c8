"""A small lab with a plain and an encrypted overlay on two hosts, and an honest look at its wire."""

from __future__ import annotations

from dataclasses import replace

from swarmlab.model.evidence import NetworkEvidence
from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import CLEAR, ENCRYPTED, Kind  # fmt: skip
from swarmlab.model.probe import Endpoint
from swarmlab.model.scenario import Network, Scenario
from swarmlab.model.wire import (
    MARK,
    Association,
    CanaryHit,
    Capture,
    Count,
    KernelState,
    Policy,
    Rule,
    TunnelPath,
    WireMeasurement,
    WirePlan,
)
from swarmlab.probes.wire.plan import VNIS, wire_plan
from tests.unit.probes.labs import scenario, service, task

VNI = {"plain-net": 4097, "secret-net": 4098, "swarmlab-control-lab": 4099}
ADDRESSES = {"host1": "172.30.0.1", "host2": "172.30.0.2", "host3": "172.30.0.3"}
SPI = {"host1": 0xAAAA0001, "host2": 0xBBBB0002, "host3": 0xCCCC0003}
ENDPOINTS = (
    task("shop.1", "host1", ("10.0.1.2", "plain-net"), ("10.0.2.2", "secret-net")),
    task("bank.1", "host2", ("10.0.1.3", "plain-net"), ("10.0.2.3", "secret-net")),
)


def expect(network: str, expected: str, *, derived: bool = True) -> Expectation:
    return Expectation(kind=Kind.WIRE, expected=expected, because="because", network=network, derived=derived)


BOTH = (expect("plain-net", CLEAR), expect("secret-net", ENCRYPTED))


def pair(*expectations: Expectation) -> Scenario:
    return scenario(
        service("shop", "plain-net", "secret-net"),
        service("bank", "plain-net", "secret-net"),
        expect=expectations or BOTH,
        networks=(Network("plain-net"), Network("secret-net", options={"encrypted": ""})),
    )


def network(key: str, encrypted: bool, vnis: str | None = None) -> NetworkEvidence:
    properties = {"encrypted": str(encrypted).lower(), VNIS: str(VNI[key]) if vnis is None else vnis}
    return NetworkEvidence(key, "host1", found=True, id="id", properties=properties)


NETWORKS = (network("plain-net", False), network("secret-net", True))


def planned(
    s: Scenario | None = None,
    endpoints: tuple[Endpoint, ...] = ENDPOINTS,
    networks: tuple[NetworkEvidence, ...] = NETWORKS,
) -> WirePlan:
    return wire_plan(s or pair(), endpoints, networks, ADDRESSES)


def path(p: WirePlan, key: str, here: str = "host1") -> TunnelPath:
    return next(x for x in p.paths if x.network == key and x.source.host == here)


def count(here: str, there: str, kind: str, number: int, *, outgoing: bool = True, packets: int = 3) -> Count:
    return Count(
        interface="eth0",
        outgoing=outgoing,
        source=ADDRESSES[here],
        target=ADDRESSES[there],
        kind=kind,
        number=number,
        packets=packets,
    )


def honest(p: WirePlan) -> WireMeasurement:
    """Plain canaries read in clear, encrypted ones in ESP; rules and associations as the engine sets them; no forgery
    taken.
    """
    return WireMeasurement(
        captures={host: capture(p, host) for host in p.hosts},
        before={host: kernel(host, 100) for host in p.hosts},
        after={host: kernel(host, 400) for host in p.hosts},
        arrived=frozenset({x.name for x in p.paths} | {x.forged_name for x in p.paths if x.plain}),
        addresses={host: frozenset({ADDRESSES[host]}) for host in p.hosts},
    )


def capture(p: WirePlan, host: str) -> Capture:
    counts, canaries_read = [], []
    for x in p.paths:
        if host in x.direction:
            outgoing = host == x.source.host
            kind, number = ("vxlan", min(x.vnis or {0})) if x.plain else ("esp", SPI[x.source.host])
            where = count(*x.direction, kind, number, outgoing=outgoing)
            counts.append(where)
            canaries_read += [CanaryHit(x.name, where, f"GET /orders/{x.canary} HTTP/1.1")] if x.plain else []
    return Capture(
        error="", packets=100, unseen=0, complete=True, counts=tuple(counts), canaries_read=tuple(canaries_read)
    )


def kernel(host: str, so_far: int) -> KernelState:
    others = [other for other in ADDRESSES if other != host]
    directions = [direction for other in others for direction in ((host, other), (other, host))]
    return KernelState(
        tuple(Association(ADDRESSES[a], ADDRESSES[b], SPI[a], so_far) for a, b in directions),
        tuple(
            Policy(
                source=ADDRESSES[host], target=ADDRESSES[other], dport=4789, direction="out", mark=MARK, spi=SPI[host]
            )
            for other in others
        ),
        (
            Rule(
                form="nft",
                table="mangle",
                chain="OUTPUT",
                place=1,
                vni=VNI["secret-net"],
                target="MARK",
                mark=MARK,
                dport=4789,
                packets=so_far,
            ),
            Rule(
                form="nft",
                table="filter",
                chain="INPUT",
                place=1,
                vni=VNI["secret-net"],
                target="DROP",
                mark=0,
                dport=4789,
                packets=0,
            ),
        ),
        ("nft",),
    )


def seen(m: WireMeasurement, host: str, **more: object) -> WireMeasurement:
    """With that host's capture changed."""
    return replace(m, captures={**m.captures, host: replace(m.captures[host], **more)})  # type: ignore[arg-type]


def told(m: WireMeasurement, host: str, *, both: bool = True, **more: object) -> WireMeasurement:
    """With what that host's kernel says changed, before and after or after only."""
    m = replace(m, after={**m.after, host: replace(m.after[host], **more)})  # type: ignore[arg-type]
    return replace(m, before={**m.before, host: replace(m.before[host], **more)}) if both else m  # type: ignore[arg-type]
