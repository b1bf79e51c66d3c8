"""`up` again: it completes what is missing, changes nothing that is right, and shows what the engine has instead of
what was declared.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.driver import ROOT, User, checks, leftovers

pytestmark = [pytest.mark.root, pytest.mark.lab]

SMALL = """\
version: "3.8"
services:
  one: {image: "swarmlab/stand-in:1", networks: [closed], deploy: {mode: global, endpoint_mode: dnsrr}}
networks:
  closed: {driver: overlay, internal: true}
x-swarmlab: {hosts: 2}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / "compose.yaml"
    file.write_text(SMALL)
    return file


def test_an_option_that_the_engine_does_not_have_is_red_and_a_lost_host_comes_back(user: User, small: Path) -> None:
    assert user.run("up", str(small), "--name", "again").status == 0
    # A network of that name, but not internal, is in the stack's place: the engine keeps it.
    user.on("again", "host1", "docker", "stack", "rm", "again")
    gone = "until ! docker network inspect again_closed >/dev/null 2>&1; do sleep 0.2; done"
    user.on("again", "host1", "timeout", "60", "sh", "-c", gone)
    user.on(
        "again",
        "host1",
        "docker",
        "network",
        "create",
        "--driver",
        "overlay",
        "--label",
        "com.docker.stack.namespace=again",
        "again_closed",
    )
    status, report = user.report("up", str(small), "--name", "again")
    assert status == 1
    red = checks(report, verdict="fail")
    assert {(c["kind"], c["network"]) for c in red} == {("network", "closed")}
    assert {"internal"} == {c["evidence"]["property"] for c in red}
    ended = user.run("down", "again")
    assert ended.status == 0, ended
    assert leftovers("again") == []


def test_the_same_up_twice_changes_no_task(user: User, small: Path) -> None:
    assert user.run("up", str(small), "--name", "twice").status == 0
    before = user.on("twice", "host1", "docker", "service", "ps", "--quiet", "--no-trunc", "twice_one")
    assert user.run("up", str(small), "--name", "twice").status == 0
    assert user.on("twice", "host1", "docker", "service", "ps", "--quiet", "--no-trunc", "twice_one") == before
    assert user.run("down", "twice").status == 0


def test_a_network_that_the_file_has_no_more_is_removed(user: User, small: Path) -> None:
    assert user.run("up", str(small), "--name", "twice", "--no-verify").status == 0
    small.write_text(SMALL.replace("closed", "other"))
    assert user.run("up", str(small), "--name", "twice").status == 0
    networks = user.on(
        "twice", "host1", "docker", "network", "ls", "--filter", "driver=overlay", "--format", "{{.Name}}"
    ).split()
    assert sorted(networks) == ["ingress", "twice_other"]
    assert user.run("down", "twice").status == 0


def test_scope_boundary_shows_that_a_name_is_not_a_network(user: User) -> None:
    status, report = user.report("up", "scope-boundary", "--name", "scope")
    assert status == 0, report
    scope = checks(report, kind="scope")
    assert {(c["from"], c["to"], c["verdict"]) for c in scope} == {("left", "right", "pass"), ("right", "left", "pass")}
    assert {c["verdict"] for c in checks(report, kind="reach", network="backbone", from_="left", to="right")} == {
        "pass"
    }
    assert (ROOT / "scenarios/scope-boundary/README.md").exists()
    assert user.run("down", "scope").status == 0


def test_a_crashing_image_fails_up_with_its_own_error(user: User, tmp_path: Path) -> None:
    file = tmp_path / "crash.yaml"
    file.write_text('services: {bad: {image: "swarmlab/stand-in:1", command: ["false"]}}\nx-swarmlab: {hosts: 1}\n')
    ended = user.run("up", str(file), "--name", "crash")
    assert ended.status == 3, ended
    assert "crash_bad (failed): task: non-zero exit (1)" in ended.err
    assert leftovers("crash") == []


def test_a_lab_grows_and_does_not_shrink(user: User, small: Path) -> None:
    assert user.run("up", str(small), "--name", "grow").status == 0
    assert user.run("up", str(small), "--name", "grow", "--hosts", "3", "--managers", "3").status == 0
    assert user.run("up", str(small), "--name", "grow").status == 0
    roles = user.on("grow", "host1", "docker", "node", "ls", "--format", "{{.ManagerStatus}}")
    assert sorted(roles.split()) == ["Leader", "Reachable", "Reachable"]
    assert user.run("up", str(small), "--name", "grow", "--hosts", "2").status == 2
    assert user.run("down", "grow").status == 0
