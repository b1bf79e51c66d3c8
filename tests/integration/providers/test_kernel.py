"""The real engine's kernel is asked: whichever way, it says the same, and who may not ask learns nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import docker
import pytest

from swarmlab.agent.kernel.features import missing_features
from swarmlab.probes.session.bundle import agent_archive
from swarmlab.providers import get
from swarmlab.providers.docker import kernel

pytestmark = [pytest.mark.lab, pytest.mark.root]
PACKED = kernel.pack(agent_archive())


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    if problems := get("docker").fitness():
        pytest.skip("; ".join(problem.text for problem in problems))
    made = docker.from_env()
    yield made
    made.close()


def test_a_child_and_a_container_are_told_the_same(client: docker.DockerClient) -> None:
    asked = kernel._in_a_container(client, PACKED)
    if asked.why == "known once a node image is built":
        pytest.skip(asked.why)
    assert asked.missing_features is not None, asked
    assert kernel.probe(client, agent_archive()) == asked
    if kernel._same_kernel(client):
        assert kernel._in_a_child(PACKED) == asked
        assert asked.missing_features == frozenset(missing_features())


def test_the_container_removes_itself(client: docker.DockerClient) -> None:
    before = {one.id for one in client.containers.list(all=True, ignore_removed=True)}
    kernel._in_a_container(client, PACKED)
    mine = [
        one
        for one in client.containers.list(all=True, ignore_removed=True)
        if one.id not in before and kernel.ASK in str(one.attrs["Args"])
    ]
    assert [one for one in mine if one.status == "exited"] == []


@pytest.mark.parametrize(
    ("capability", "why"),
    [
        ("sys_admin", "a network namespace cannot be made there"),
        ("net_admin", "networks cannot be configured there: Operation not permitted"),
    ],
)
def test_who_may_not_ask_does_not_say_that_it_is_missing(capability: str, why: str) -> None:
    weak = ["setpriv", f"--bounding-set=-{capability}", f"--inh-caps=-{capability}", "--"]
    ran = subprocess.run(
        [*weak, sys.executable, *kernel.PYTHON, PACKED], capture_output=True, text=True, timeout=20, check=False
    )
    assert kernel._read(ran.stdout, ran.stderr) == kernel.Probed(None, f"its kernel could not be asked: {why}")
