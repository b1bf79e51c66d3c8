"""What `plan` says of a provider's kernel is what the agents on its hosts find, and nothing passes for lack of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.driver import User, checks

pytestmark = [pytest.mark.root, pytest.mark.lab]

SECRET = """\
version: "3.8"
services:
  one: {image: "swarmlab/stand-in:1", networks: [closed], deploy: {mode: global, endpoint_mode: dnsrr}}
networks:
  closed: {driver: overlay, driver_opts: {encrypted: ""}}
x-swarmlab: {hosts: 2}
"""
LACK = "its kernel has no ESP, which network closed needs: what depends on it will be inconclusive"


def test_the_engines_kernel_is_known_before_a_host_is_made(user: User, tmp_path: Path) -> None:
    file = tmp_path / "secret.yaml"
    file.write_text(SECRET)
    planned = json.loads(user.run("plan", str(file), "--provider", "docker", "--format", "json").out)
    assert planned["needs"] == ["ESP, which network closed needs"]
    docker = next(row for row in planned["providers"] if row["provider"] == "docker")
    assert docker["esp"]["has"] is not None, docker
    try:
        ended = user.run("up", str(file), "--name", "secret", "--provider", "docker", "--format", "json")
    finally:
        user.run("down", "secret")
    report = json.loads(ended.out)
    for feature in ("esp", "ip_vs"):
        assert {feature in host["lacks"] for host in report["hosts"]} == {docker[feature]["has"] is False}, (
            "plan and hosts agree"
        )
    assert (LACK in ended.err) is (docker["esp"]["has"] is False)
    if docker["esp"]["has"] is False:
        assert ended.status != 0
        crossing = [c for c in checks(report, kind="reach", network="closed") if c["from_host"] != c["to_host"]]
        assert {c["verdict"] for c in crossing} & {"pass"} == set(), "nothing passes for lack of means"
