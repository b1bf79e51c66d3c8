"""The underlay of a lab whose hosts are made: a subnet that collides with nothing that this machine, its engine or the
scenario uses, and the hosts' addresses in it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network

from swarmlab.errors import ProviderError
from swarmlab.providers.base import HostsWanted

POOLS = (IPv4Network("172.29.0.0/16"), IPv4Network("172.30.0.0/16"))
BEFORE_THE_FIRST = 10  # the machine outside has this address of the subnet, the first host the next one, and so on
ROOM = 200  # hosts for which a subnet has addresses


def free_subnets(taken: Iterable[IPv4Network]) -> Iterator[IPv4Network]:
    """Every /24 of the pools that overlaps nothing in `taken`, in order.

    >>> next(free_subnets([IPv4Network("172.29.0.0/23")]))
    IPv4Network('172.29.2.0/24')
    """
    busy = list(taken)
    return (
        net for pool in POOLS for net in pool.subnets(new_prefix=24) if not any(net.overlaps(other) for other in busy)
    )


def address_of(underlay: IPv4Network, number: int) -> IPv4Address:
    """The address of the machine of this number (HostsWanted.number_of), for as long as the lab lives.

    >>> str(address_of(IPv4Network("172.29.0.0/24"), 3))
    '172.29.0.13'
    """
    return underlay[BEFORE_THE_FIRST + number]


def refuse_no_room(wanted: HostsWanted) -> None:
    """ProviderError when no subnet has addresses for that many hosts, or there is none to be made."""
    if not 1 <= len(wanted.names) <= ROOM:
        raise ProviderError(f"{len(wanted.names)} hosts were asked for; the underlay has room for 1 to {ROOM}")


def networks(texts: Iterable[str]) -> list[IPv4Network]:
    """What of `texts` is an IPv4 network or address; the default route, names and IPv6 are left out.

    >>> networks(["10.0.0.0/8", "default", "fd00::/64", "192.0.2.7"])
    [IPv4Network('10.0.0.0/8'), IPv4Network('192.0.2.7/32')]
    """
    return [net for net in map(_network, texts) if net is not None and net.prefixlen > 0]


def _network(text: str) -> IPv4Network | None:
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        return None


def routed() -> list[IPv4Network]:
    """What this machine has routes to, in any table; [] where there is no `ip`."""
    if not shutil.which("ip"):
        return []
    shown = subprocess.run(
        ["ip", "-4", "-j", "route", "show", "table", "all"], capture_output=True, text=True, timeout=10, check=False
    )
    routes = json.loads(shown.stdout or "[]") if shown.returncode == 0 else []
    return networks(
        str(route.get("dst", "")) for route in routes if route.get("type") not in ("broadcast", "multicast")
    )
