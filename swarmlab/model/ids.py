"""Ids of checks and findings: built here, and taken apart nowhere.

They are a contract, the same from run to run and from release to release: no address is in them, and no port of a run's
own.
"""

from __future__ import annotations


def pair(source: str, target: str) -> str:
    """From one to another: services, endpoints or hosts.

    >>> pair("front.1", "db.1")
    'front.1->db.1'
    """
    return f"{source}->{target}"


def between(one: str, other: str) -> str:
    """Two hosts, whichever the direction.

    >>> between("host1", "host2")
    'host1<->host2'
    """
    return f"{one}<->{other}"


def exchange(source: str, target: str, network: str, protocol: str, *, port: int = 0, order: int = 1) -> str:
    """One exchange of packets; `port` where it is not the run's own, `order` of the target's addresses on that network.

    >>> exchange("front.1", "db.1", "back", "tcp"), exchange("front.1", "db.1", "back", "tcp", port=5432, order=2)
    ('front.1->db.1@back/tcp', 'front.1->db.1@back/tcp:5432#2')
    """
    return f"{pair(source, target)}@{network}/{protocol}{f':{port}' if port else ''}{f'#{order}' if order > 1 else ''}"


def check_id(
    kind: str,
    what: str,
    *,
    item: str = "",
    on: str | None = None,
    protocol: str = "",
    port: int | str = 0,
    part: str = "",
) -> str:
    """The id of a check of that kind. `what`: a pair, an exchange or a network, of which `item` is a property; `on`: a
    network, a host, or a pair of hosts; `part`: what is asked besides.

    >>> check_id("publish", pair("outside", "web"), on="host1", protocol="tcp", port=8080, part="balance")
    'publish:outside->web@host1/tcp:8080/balance'
    >>> check_id("network", "back", item="driver", on="host1"), check_id("wire", "back", on=pair("host1", "host2"))
    ('network:back/driver@host1', 'wire:back@host1->host2')
    """
    parts = (
        f"{kind}:{what}",
        f"/{item}" if item else "",
        "" if on is None else f"@{on}",
        f"/{protocol}" if protocol else "",
        f":{port}" if port else "",
        f"/{part}" if part else "",
    )
    return "".join(parts)


def contradicting(id_: str, expected: str, number: int) -> str:
    """The id of a second check (or third: `number`) of what another one has measured, with another expectation.

    >>> contradicting("reach:a.1->b.1@back/tcp", "deny", 2), contradicting("reach:a.1->b.1@back/tcp", "deny", 3)
    ('reach:a.1->b.1@back/tcp!deny', 'reach:a.1->b.1@back/tcp!deny3')
    """
    return f"{id_}!{expected}{number if number > 2 else ''}"


def finding_id(fault: str, *what: str, on: str = "") -> str:
    """The id of a finding: the fault's own name, and where it was found.

    >>> finding_id("no-ipvs"), finding_id("overlay-lost", "back", between("host1", "host2"))
    ('no-ipvs', 'overlay-lost:back:host1<->host2')
    >>> finding_id("cleartext", "back", on="host1")
    'cleartext:back@host1'
    """
    return ":".join((fault, *what)) + (f"@{on}" if on else "")
