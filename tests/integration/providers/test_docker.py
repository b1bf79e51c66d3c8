"""Container hosts on the real engine: made, made again, refused, started again, gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import docker
import pytest

from swarmlab.errors import ProviderError, SwarmRefused
from swarmlab.model.host import Host
from swarmlab.providers import Provider, get
from swarmlab.providers.docker import image as node_image
from swarmlab.providers.docker.provisioning import Thing
from swarmlab.providers.images.stand_in import find_busybox, stand_in_archive
from swarmlab.remote import Remote, fan_out
from tests.integration.providers.lab import Lab, created
from tests.integration.providers.lab import lab as make_lab
from tests.integration.providers.lab import wanted as want

pytestmark = [pytest.mark.lab, pytest.mark.root]
ENGINE = ["docker", "info", "--format", "{{.ID}}"]


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    made = docker.from_env()
    yield made
    made.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    yield from make_lab(tmp_path_factory.mktemp("docker"), 2)


def _say(host: Host, *argv: str) -> str:
    with Remote(host) as remote:
        remote.connect(10)
        return remote.run(argv).stdout.strip()


def _destroy(start: threading.Barrier, lab: str, provider: Provider) -> None:
    start.wait(5)
    provider.destroy(lab, "tests")


def _left(client: docker.DockerClient, lab: str) -> list[str]:
    only: dict[str, str | list[str] | bool] = {"label": f"io.swarmlab.lab={lab}"}
    found: list[Thing] = [*client.containers.list(all=True, filters=only), *client.volumes.list(filters=only)]
    return sorted(str(thing.name) for thing in [*found, *client.networks.list(filters=only)])


def test_each_host_has_an_engine_of_its_own(lab: Lab) -> None:
    assert len(set(fan_out(lab.hosts, lambda host: _say(host, *ENGINE)).values())) == 2


def test_hosts_reach_each_other_on_the_underlay_and_nothing_else(lab: Lab) -> None:
    first, second = lab.hosts
    with Remote(first) as remote:
        banner = remote.run(
            ["bash", "-c", 'read -r -t 5 line <"/dev/tcp/$0/22" && echo "$line"', second.address]
        ).stdout
        assert banner.startswith("SSH-2.0-")
        assert "default" not in remote.run(["ip", "route"]).stdout


def test_a_hosts_address_is_the_one_that_it_has(lab: Lab) -> None:
    for host in lab.hosts:
        assert f"inet {host.address}/24" in _say(host, "ip", "-4", "address", "show", "dev", "eth0")


def test_create_again_changes_nothing(lab: Lab) -> None:
    before = fan_out(lab.hosts, lambda host: _say(host, *ENGINE))
    again = created(lab.provider, lab.wanted)
    assert again == lab.hosts
    assert fan_out(again, lambda host: _say(host, *ENGINE)) == before


def test_a_stopped_host_comes_back_with_its_data_and_its_key(lab: Lab, client: docker.DockerClient) -> None:
    before = fan_out(lab.hosts, lambda host: _say(host, *ENGINE))
    start = time.monotonic()
    client.containers.get(f"swarmlab-{lab.wanted.lab}-host2").stop(timeout=10)
    assert time.monotonic() - start < 5, "a host must end when it is told to"
    pinned = (lab.wanted.directory / "ssh" / "host2_key.pub").read_text()
    again = created(lab.provider, lab.wanted)
    lab.hosts[:] = again
    assert fan_out(again, lambda host: _say(host, *ENGINE)) == before
    assert f"[127.0.0.1]:{again[1].ssh.port} {pinned.strip()}" in again[1].ssh.known_hosts.read_text()


def test_a_missing_host_is_made_and_the_other_left_alone(lab: Lab, client: docker.DockerClient) -> None:
    before = _say(lab.hosts[0], *ENGINE)
    client.containers.get(f"swarmlab-{lab.wanted.lab}-host2").remove(force=True)
    lab.hosts[:] = created(lab.provider, lab.wanted)
    assert _say(lab.hosts[0], *ENGINE) == before
    assert _say(lab.hosts[1], "hostname") == "host2"


def test_lost_keys_are_made_anew_and_given_to_the_hosts(lab: Lab) -> None:
    (lab.wanted.directory / "ssh" / "id_ed25519").unlink()
    lab.hosts[:] = created(lab.provider, lab.wanted)
    assert _say(lab.hosts[0], "hostname") == "host1"


def test_it_is_found_by_label(lab: Lab) -> None:
    assert lab.provider.found(lab.wanted.home)[lab.wanted.lab] == ["host1", "host2"]


def test_another_home_does_not_touch_it(lab: Lab, client: docker.DockerClient) -> None:
    before = _left(client, lab.wanted.lab)
    with pytest.raises(SwarmRefused, match=r"belongs to a lab `.*` of another SWARMLAB_HOME; it is left alone"):
        created(lab.provider, replace(lab.wanted, home="somebody else"))
    with pytest.raises(SwarmRefused, match=r"of another SWARMLAB_HOME; it is left alone"):
        lab.provider.destroy(lab.wanted.lab, "somebody else")
    assert lab.provider.found("somebody else") == {}
    assert _left(client, lab.wanted.lab) == before


def test_another_engine_version_is_refused_not_mixed_in(lab: Lab) -> None:
    from swarmlab.providers.docker.container import ContainerHost
    from swarmlab.providers.docker.provisioning import running
    from swarmlab.providers.lab_keys import lab_keys

    name = f"swarmlab-{lab.wanted.lab}"
    other = ContainerHost(lab.wanted.lab, "host1", lab.wanted.home, "never-used", "28.5", name, lab.hosts[0].address)
    with pytest.raises(ProviderError, match=r"host1: runs engine 20\.10, 28\.5 is wanted"):
        running(docker.from_env(), other, lab_keys(lab.wanted.directory, ["host1", "host2"]))


def test_what_somebody_else_made_is_left_alone(client: docker.DockerClient, tmp_path: Path) -> None:
    wanted = want(tmp_path, 1)
    theirs = client.networks.create(f"swarmlab-{wanted.lab}", labels={"mine": "yes"})
    try:
        with pytest.raises(SwarmRefused, match="is in the way, and swarmlab did not make it"):
            created(get("docker"), wanted)
        theirs.reload()
        assert _left(client, wanted.lab) == []
    finally:
        theirs.remove()


def test_an_unknown_name_is_answered_at_once(lab: Lab) -> None:
    ask = (
        "import socket,time\nt=time.time()\n"
        "try: socket.gethostbyname('db.example')\nexcept OSError as e: print(e, time.time()-t < 1)"
    )
    assert _say(lab.hosts[0], "python3", "-c", ask) == "[Errno -2] Name or service not known True"


def test_the_stand_in_serves_and_stops_at_once(lab: Lab) -> None:
    with Remote(lab.hosts[0]) as remote:
        remote.run(["docker", "load"], stdin=stand_in_archive(find_busybox(node_image.busybox)))
        remote.run(["docker", "run", "-d", "--name", "web", "swarmlab/stand-in:1"])
        page = remote.run(["docker", "exec", "web", "sh", "-c", "sleep 0.2; wget -qO- http://127.0.0.1/"]).stdout
        start = time.monotonic()
        remote.run(["docker", "rm", "-f", remote.run(["docker", "stop", "-t", "10", "web"]).stdout.strip()])
    assert "stand-in" in page
    assert time.monotonic() - start < 3


def test_two_labs_at_once_have_underlays_of_their_own(lab: Lab, tmp_path: Path, client: docker.DockerClient) -> None:
    for other in make_lab(tmp_path, 1):
        assert other.hosts[0].address.rsplit(".", 1)[0] != lab.hosts[0].address.rsplit(".", 1)[0]
        assert _say(other.hosts[0], "hostname") == "host1"
    assert _left(client, lab.wanted.lab) != []


def test_nothing_is_left_and_that_can_be_said_twice(client: docker.DockerClient, tmp_path: Path) -> None:
    for short in make_lab(tmp_path, 1):
        assert len(_left(client, short.wanted.lab)) == 4  # container, two volumes, network
        start = time.monotonic()
        assert len(short.provider.destroy(short.wanted.lab, short.wanted.home)) == 4
        assert time.monotonic() - start < 5
        assert _left(client, short.wanted.lab) == []
        assert short.provider.destroy(short.wanted.lab, short.wanted.home) == []


def test_two_who_remove_at_once_do_not_disturb_each_other(client: docker.DockerClient, tmp_path: Path) -> None:
    for short in make_lab(tmp_path, 1):
        fan_out(
            {"one": get("docker"), "other": get("docker")}, partial(_destroy, threading.Barrier(2), short.wanted.lab)
        )
        assert _left(client, short.wanted.lab) == []


def test_no_engine_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(ProviderError, match="no Docker Engine answers on unix://") as caught:
        get("docker").found("tests")
    assert "systemctl start docker" in caught.value.fix
    assert [problem.text for problem in get("docker").fitness()] == [caught.value.message]
