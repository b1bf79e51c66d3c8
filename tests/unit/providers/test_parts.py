"""The pieces of a container host: capabilities, configuration, keys, registry, name server."""

from __future__ import annotations

import io
import struct
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from swarmlab.errors import UsageError
from swarmlab.providers import PROVIDERS, HostsWanted, get
from swarmlab.providers.docker.container import ContainerHost, config, published_port
from swarmlab.providers.docker.linux_capabilities import NAMES, missing
from swarmlab.providers.images.recipe import file_contents
from swarmlab.providers.lab_keys import lab_keys

WANTED = ContainerHost("shop", "host2", "owner", "swarmlab/node:x", "20.10", "swarmlab-shop", "172.29.0.12")


def test_an_unknown_provider_lists_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        get("podman")
    assert str(caught.value) == f"there is no provider `podman`\n  fix: use one of: {', '.join(PROVIDERS)}"
    assert list(PROVIDERS)[:2] == ["docker", "qemu"]


def test_what_is_registered_calls_itself_by_its_name() -> None:
    assert {name: get(name).name for name in PROVIDERS} == {name: name for name in PROVIDERS}


def test_capabilities_are_named_by_their_number() -> None:
    assert len(NAMES) == 41
    assert NAMES[21] == "SYS_ADMIN"
    assert missing("Name: x\nCapBnd:\t000001ffffffffff\n", 40) == ()
    assert missing("CapBnd:\t000001ffffdfffff\n", 40) == ("SYS_ADMIN",)
    assert missing("CapBnd:\t0000003fffffffff\n", 37) == ()  # an old kernel has fewer, and lacks none


def test_a_host_is_reached_on_loopback_only_and_found_by_label() -> None:
    body = config(WANTED, ("SYS_RESOURCE",), modules=False)
    host = body["HostConfig"]
    assert isinstance(host, dict)
    assert host["PortBindings"] == {"22/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}
    assert host["CapDrop"] == ["SYS_RESOURCE"]
    assert "Privileged" not in host
    assert (
        WANTED.labels.items()
        >= {"io.swarmlab.lab": "shop", "io.swarmlab.host": "host2", "io.swarmlab.home": "owner"}.items()
    )
    assert body["Labels"] == WANTED.labels


def test_data_lies_on_volumes_named_after_the_host() -> None:
    assert WANTED.volumes == {
        "swarmlab-shop-host2-docker": "/var/lib/docker",
        "swarmlab-shop-host2-containerd": "/var/lib/containerd",
    }


def test_a_machine_outside_the_swarm_runs_sshd_alone_and_keeps_nothing() -> None:
    outside = replace(WANTED, host="outside")
    body = config(outside, (), modules=False)
    entry = body["Entrypoint"]
    assert isinstance(entry, list)
    assert "sshd" in entry[-1]
    assert "dockerd" not in entry[-1]
    assert (outside.volumes, outside.name) == ({}, "swarmlab-shop-outside")
    assert outside.labels.items() >= {"io.swarmlab.lab": "shop", "io.swarmlab.home": "owner"}.items(), (
        "so that `down` finds it"
    )
    assert "Entrypoint" not in config(WANTED, (), modules=False)


def test_the_machine_outside_is_asked_for_and_comes_last(tmp_path: Path) -> None:
    assert HostsWanted("shop", ("host1", "host2"), "", "owner", tmp_path).machines == ["host1", "host2"]
    wanted = HostsWanted("shop", ("host1", "host2"), "", "owner", tmp_path, outside=True)
    assert wanted.machines == ["host1", "host2", "outside"]


def test_no_secret_is_in_what_the_engine_will_show_to_anybody(tmp_path: Path) -> None:
    private = lab_keys(tmp_path, ["host2"]).hosts["host2"].read_text()
    assert private.splitlines()[1] not in str(config(WANTED, (), modules=False))


@pytest.mark.parametrize(
    ("attributes", "port"),
    [
        ({"NetworkSettings": {"Ports": {"22/tcp": [{"HostIp": "127.0.0.1", "HostPort": "32768"}]}}}, 32768),
        ({"NetworkSettings": {"Ports": {"22/tcp": None}}}, 0),
        ({"NetworkSettings": {"Ports": None}}, 0),
        ({}, 0),
    ],
)
def test_the_published_port(attributes: dict[str, object], port: int) -> None:
    assert published_port(attributes) == port


def test_keys_stay_when_asked_for_again(tmp_path: Path) -> None:
    first = lab_keys(tmp_path, ["host1"])
    again = lab_keys(tmp_path, ["host1", "host2"])
    assert first.fresh == {"host1"}
    assert again.fresh == {"host2"}
    assert first.archive("host1") == again.archive("host1")


def test_a_lost_identity_makes_every_host_fresh(tmp_path: Path) -> None:
    lab_keys(tmp_path, ["host1"]).identity.unlink()
    assert lab_keys(tmp_path, ["host1"]).fresh == {"host1"}


def test_known_hosts_pins_each_port_to_its_hosts_key(tmp_path: Path) -> None:
    keys = lab_keys(tmp_path, ["host1", "host2"])
    keys.pin({"host1": 40001, "host2": 40002})
    lines = keys.known_hosts.read_text().splitlines()
    publics = [keys.hosts[host].with_name(f"{host}_key.pub").read_text().strip() for host in ("host1", "host2")]
    assert lines == [f"[127.0.0.1]:40001 {publics[0]}", f"[127.0.0.1]:40002 {publics[1]}"]


def test_a_host_is_given_its_own_private_key_and_only_our_public_one(tmp_path: Path) -> None:
    keys = lab_keys(tmp_path, ["host1", "host2"])
    with tarfile.open(fileobj=io.BytesIO(keys.archive("host1"))) as tar:
        modes = {entry.name: entry.mode for entry in tar}
    assert modes == {"etc/ssh/ssh_host_ed25519_key": 0o600, "root/.ssh": 0o700, "root/.ssh/authorized_keys": 0o600}
    assert keys.identity.read_bytes() not in keys.archive("host1")
    assert keys.hosts["host2"].read_bytes() not in keys.archive("host1")


def _query(name: str) -> bytes:
    labels = b"".join(bytes([len(word)]) + word.encode() for word in name.split(".")) + b"\0"
    return struct.pack("!6H", 0x1234, 0x0100, 1, 0, 0, 1) + labels + b"\0\x01\0\x01" + b"\0\0\x29\x10\0\0\0\0\0\0\0"


def _answer(query: bytes) -> bytes | None:
    space: dict[str, object] = {"__name__": "nxdomain"}
    exec(compile(file_contents()["nxdomain"], "nxdomain", "exec"), space)
    answer = space["answer"]
    assert callable(answer)
    return answer(query)  # type: ignore[no-any-return]


def test_the_lab_name_server_knows_no_name_and_says_so() -> None:
    reply = _answer(_query("db.example"))
    assert reply is not None
    identity, flags, questions, *rest = struct.unpack("!6H", reply[:12])
    assert (identity, flags & 0x800F, questions, rest) == (0x1234, 0x8003, 1, [0, 0, 0])
    assert reply[12:] == b"\x02db\x07example\0\0\x01\0\x01"


@pytest.mark.parametrize("query", [b"", b"\0" * 11, _query("x")[:14], _query("a" * 60)[:40], b"\xff" * 512])
def test_it_keeps_quiet_about_rubbish(query: bytes) -> None:
    assert _answer(query) is None


def test_it_does_not_answer_answers() -> None:
    reply = _answer(_query("db"))
    assert reply is not None
    assert _answer(reply) is None
