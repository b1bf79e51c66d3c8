"""Machines for real: restored, told apart, started again, gone. Where they are emulated this takes minutes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from swarmlab.model.host import Host, numbered
from swarmlab.providers import HostsWanted, get
from swarmlab.providers.qemu import processes
from swarmlab.remote import Remote, fan_out
from tests.integration.providers.lab import Lab, created

HOME = "0123456789ab"
pytestmark = pytest.mark.vm


@pytest.fixture(scope="module")
def lab(machine_images: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    provider, home = get("qemu"), tmp_path_factory.mktemp("home")
    (home / "images").symlink_to(machine_images)
    wanted = HostsWanted(f"test-{os.getpid()}", numbered(2), "", HOME, home / "labs" / "test-vm")
    try:
        yield Lab(provider, wanted, created(provider, wanted))
    finally:
        provider.destroy(wanted.lab, wanted.home)
    assert not processes.machines(HOME, wanted.lab)


def _say(host: Host, *argv: str) -> str:
    with Remote(host) as remote:
        remote.connect(60)
        return remote.run(argv).stdout.strip()


@pytest.mark.parametrize(
    "argv",
    [
        ["docker", "info", "--format", "{{.ID}}"],
        ["cat", "/etc/machine-id"],
        ["hostname"],
        ["cat", "/sys/class/net/eth0/address"],
        ["cat", "/etc/ssh/ssh_host_ed25519_key"],
        ["cat", "/proc/sys/kernel/random/uuid"],  # the kernel's randomness: copies of one state would draw the same
    ],
    ids=lambda argv: " ".join(argv[:2]),
)
def test_copies_differ_in(lab: Lab, argv: list[str]) -> None:
    assert len(set(fan_out(lab.hosts, lambda host: _say(host, *argv)).values())) == 2


def test_the_engine_keeps_its_identity_when_it_is_started_again(lab: Lab) -> None:
    for host in lab.hosts:
        assert _say(host, "cat", "/var/lib/docker/engine-id") == _say(host, "docker", "info", "--format", "{{.ID}}")


def test_machines_reach_each_other_on_the_underlay_and_nothing_else(lab: Lab) -> None:
    first, second = lab.hosts
    assert _say(first, "bash", "-c", 'read -r -t 20 line <"/dev/tcp/$0/22" && echo "$line"', second.address).startswith(
        "SSH-2.0-"
    )
    assert "default" not in _say(first, "ip", "route")
    assert f"inet {first.address}/24" in _say(first, "ip", "-4", "address", "show", "dev", "eth0")


def test_the_kernel_has_what_containers_may_lack(lab: Lab) -> None:
    assert {"esp4", "ip_vs", "vxlan"} <= set(_say(lab.hosts[0], "sh", "-c", "cut -d' ' -f1 /proc/modules").split())


def test_the_clock_is_that_of_today(lab: Lab) -> None:
    assert abs(int(_say(lab.hosts[0], "date", "+%s")) - time.time()) < 30


def test_create_again_changes_nothing(lab: Lab) -> None:
    assert created(lab.provider, lab.wanted) == lab.hosts


def test_a_machine_that_was_killed_is_booted_again_with_what_it_had(lab: Lab) -> None:
    first = lab.hosts[0]
    _say(first, "sh", "-c", "echo kept >/root/kept && sync")
    (process,) = [one for one in processes.machines(HOME, lab.wanted.lab) if one.host == first.name]
    os.kill(process.pid, signal.SIGKILL)
    again = created(lab.provider, lab.wanted)
    assert _say(again[0], "cat", "/root/kept") == "kept"
    assert again[1] == lab.hosts[1]


def test_another_home_sees_nothing_of_it(lab: Lab) -> None:
    assert lab.provider.found("ba9876543210") == {}
    assert lab.provider.destroy(lab.wanted.lab, "ba9876543210") == []
    assert lab.provider.found(HOME) == {lab.wanted.lab: ["host1", "host2"]}
