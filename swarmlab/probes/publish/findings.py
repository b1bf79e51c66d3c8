"""Named faults of published ports and virtual addresses: one for each port or service, with what to do about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from swarmlab.model.check import Check, Finding, Verdict
from swarmlab.model.ids import finding_id
from swarmlab.model.kinds import DENY
from swarmlab.probes.session.sources import ISSUE

DOCS = "https://docs.docker.com/engine/swarm/ingress/"
STALE = f"{ISSUE}33790"


def publish_findings(
    published: Sequence[Check], balanced: Iterable[Check], meshed: Iterable[Check] = ()
) -> tuple[Finding, ...]:
    """Leaks first. A host whose port does not answer at all is not called unbalanced as well."""
    shut = {(c.target_host, c.protocol, c.port) for c in published if c.verdict is Verdict.FAIL}
    uneven = [c for c in meshed if (c.target_host, c.protocol, c.port) not in shut]
    found = [*_ports(published), *_backends(balanced), *_mesh(uneven)]
    return tuple(sorted(found, key=lambda f: (f.severity != "isolation", f.id)))


def _ports(checks: Iterable[Check]) -> Iterator[Finding]:
    groups: dict[tuple[bool, str, int], list[Check]] = defaultdict(list)
    for c in checks:
        if c.verdict is Verdict.FAIL:
            groups[c.expected == DENY, c.protocol, c.port].append(c)
    for (leaks, protocol, port), found in groups.items():
        hosts = tuple(dict.fromkeys(c.target_host for c in found))
        yield _open(f"{port}/{protocol}", port, hosts) if leaks else _shut(f"{port}/{protocol}", hosts)


def _open(named: str, port: int, hosts: tuple[str, ...]) -> Finding:
    return Finding(
        id=finding_id("port-open", named),
        severity="isolation",
        title=f"{named} answers from outside although it must not",
        hosts=hosts,
        layer="host",
        fix=f"on these hosts see who listens (`ss -lnp 'sport = :{port}'`) and what is translated "
        "(`iptables -t nat -S`)",
        source=DOCS,
    )


def _shut(named: str, hosts: tuple[str, ...]) -> Finding:
    return Finding(
        id=finding_id("port-shut", named),
        severity="connectivity",
        title=f"published port {named} does not answer from outside",
        hosts=hosts,
        layer="host",
        fix="on these hosts see the firewall (`iptables -t raw -S`, `iptables -S DOCKER-USER`) and `docker service ps`",
        source=DOCS,
    )


def _mesh(checks: Iterable[Check]) -> Iterator[Finding]:
    groups: dict[tuple[str, str, int], list[Check]] = defaultdict(list)
    for c in checks:
        if c.verdict is Verdict.FAIL:
            groups[c.target_service, c.protocol, c.port].append(c)
    for (service, protocol, port), found in groups.items():
        yield Finding(
            id=finding_id("mesh-unbalanced", f"{port}/{protocol}"),
            severity="flaky",
            title=f"published port {port}/{protocol} does not lead to every task of {service}",
            hosts=tuple(c.target_host for c in found),
            layer="load balancing",
            fix="on these hosts compare `nsenter --net=/run/docker/netns/ingress_sbox "
            f"ipvsadm -ln` with the running tasks; `docker service update --force {service}` renews the backends",
            source=STALE,
        )


def _backends(checks: Iterable[Check]) -> Iterator[Finding]:
    groups: dict[tuple[str, str], list[Check]] = defaultdict(list)
    for c in checks:
        if c.verdict is Verdict.FAIL:
            groups[c.target_service, c.network].append(c)
    for (service, network), found in groups.items():
        hosts = tuple(sorted({c.source_host for c in found}))
        yield Finding(
            id=finding_id("vip-unbalanced", service, on=network),
            severity="flaky",
            title=f"the virtual address of {service} on {network} does not lead to every task",
            hosts=hosts,
            layer="load balancing",
            fix="compare `ipvsadm -ln` in the network's load-balancing namespace with the running tasks; "
            f"`docker service update --force {service}` renews the backends",
            source=STALE,
        )
