"""The underlay's subnet collides with nothing, whatever is taken."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmlab.errors import ProviderError
from swarmlab.model.host import numbered
from swarmlab.providers.base import HostsWanted
from swarmlab.providers.underlay import POOLS, ROOM, address_of, free_subnets, networks, refuse_no_room

INSIDE = st.builds(
    lambda address, prefix: IPv4Network((address, prefix), strict=False),
    st.integers(int(POOLS[0][0]), int(POOLS[1][-1])),
    st.integers(12, 32),
)


@given(st.lists(INSIDE, max_size=20))
def test_what_is_chosen_overlaps_nothing_that_is_taken(taken: list[IPv4Network]) -> None:
    for chosen in islice(free_subnets(taken), 3):
        assert chosen.prefixlen == 24
        assert any(chosen.subnet_of(pool) for pool in POOLS)
        assert not any(chosen.overlaps(other) for other in taken)


@given(st.sets(st.integers(0, 511), max_size=511))
def test_a_free_one_is_found_as_long_as_there_is_one(busy: set[int]) -> None:
    every = [net for pool in POOLS for net in pool.subnets(new_prefix=24)]
    left = [net for number, net in enumerate(every) if number not in busy]
    assert list(free_subnets(every[number] for number in busy)) == left


def test_none_left() -> None:
    assert list(free_subnets([IPv4Network("172.16.0.0/12")])) == []


def test_every_host_has_an_address_of_its_own_that_is_no_gateway() -> None:
    subnet = IPv4Network("172.29.7.0/24")
    addresses = {address_of(subnet, number) for number in range(1, ROOM + 1)}
    assert len(addresses) == ROOM
    assert addresses <= set(subnet.hosts()) - {subnet[1]}


def test_a_default_route_does_not_take_everything() -> None:
    assert networks(["default", "0.0.0.0/0", "rubbish", "172.29.0.0/16"]) == [IPv4Network("172.29.0.0/16")]


def test_the_machine_outside_has_an_address_that_no_host_has() -> None:
    subnet = IPv4Network("172.29.0.0/24")
    hosts = {address_of(subnet, number) for number in range(1, ROOM + 1)}
    assert address_of(subnet, 0) not in hosts | {subnet[0], subnet[1]}


def test_an_address_follows_the_position_and_not_the_name(tmp_path: Path) -> None:
    wanted = HostsWanted("shop", ("alpha", "beta-2"), "", "home", tmp_path, outside=True)
    subnet = IPv4Network("172.29.0.0/24")
    found = {name: str(address_of(subnet, wanted.number_of(name))) for name in wanted.machines}
    assert found == {"alpha": "172.29.0.11", "beta-2": "172.29.0.12", "outside": "172.29.0.10"}


@pytest.mark.parametrize("count", [0, ROOM + 1])
def test_more_hosts_than_addresses_are_refused(tmp_path: Path, count: int) -> None:
    with pytest.raises(ProviderError) as caught:
        refuse_no_room(HostsWanted("shop", numbered(count), "", "home", tmp_path))
    assert str(caught.value) == f"{count} hosts were asked for; the underlay has room for 1 to 200"
