"""Whatever happens to `up`, `down` takes everything away, and `up` works again."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.driver import User, kill, leftovers

pytestmark = [pytest.mark.root, pytest.mark.lab]

# Moments in the life of `up`, by what the engine shows: (name, condition over the lab's containers, networks and
# volumes)
LAB = "killed"


def engine(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=60, check=False).stdout


def inside(*arguments: str) -> str:
    return engine("exec", f"swarmlab-{LAB}-host1", "docker", *arguments)


MOMENTS: dict[str, Callable[[User], bool]] = {
    "its state is written": lambda user: (user.home / "labs" / LAB / "lab.json").exists(),
    "the underlay exists": lambda user: bool(engine("network", "ls", "-q", "--filter", f"label=io.swarmlab.lab={LAB}")),
    "a host runs": lambda user: bool(engine("ps", "-q", "--filter", f"label=io.swarmlab.lab={LAB}")),
    "the Swarm is formed": lambda user: "active" in inside("info", "--format", "{{.Swarm.LocalNodeState}}"),
    "the stack is deployed": lambda user: bool(inside("service", "ls", "--quiet")),
}


@pytest.fixture
def removed(user: User) -> Iterator[None]:
    yield
    user.run("down", LAB)


def reach(moment: Callable[[User], bool], user: User, process: subprocess.Popen[str]) -> None:
    """Wait until that moment; `up` must not have ended before."""
    pause = threading.Event()
    for _ in range(2000):
        if moment(user):
            return
        assert process.poll() is None, process.communicate()[0]
        pause.wait(0.02)
    raise AssertionError("that moment never came")


def processes_of(lab: str) -> list[str]:
    """Processes of this machine that have the lab's hosts or its directory on their command line, ours aside."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            line = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        if f"swarmlab-{lab}-" in line or f"labs/{lab}" in line or "mmdebstrap" in line:
            found.append(line)
    return found


def nothing_left(user: User) -> None:
    assert leftovers(LAB) == []
    assert processes_of(LAB) == []
    assert not (user.home / "labs" / LAB).exists()
    assert LAB not in Path("/proc/mounts").read_text()


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.usefixtures("removed")
def test_kill_9_then_down_leaves_nothing(user: User, moment: str, plain_file: Path) -> None:
    process = user.start("up", str(plain_file), "--name", LAB)
    reach(MOMENTS[moment], user, process)
    assert kill(process) == -signal.SIGKILL
    ended = user.run("down", LAB)
    assert ended.status == 0, ended
    nothing_left(user)


@pytest.mark.usefixtures("removed")
def test_up_completes_what_a_killed_up_began(user: User, plain_file: Path) -> None:
    process = user.start("up", str(plain_file), "--name", LAB)
    reach(MOMENTS["the Swarm is formed"], user, process)
    kill(process)
    ended = user.run("up", str(plain_file), "--name", LAB)
    assert ended.status == 0, ended
    assert user.run("down", LAB).status == 0
    nothing_left(user)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("removed")
def test_an_interrupted_up_cleans_up_itself(user: User, how: signal.Signals, tmp_path: Path, plain_file: Path) -> None:
    process = user.start(
        "up", str(plain_file), "--name", LAB, "--json", str(tmp_path / "run.json"), "--junit", str(tmp_path / "run.xml")
    )
    reach(MOMENTS["the Swarm is formed"], user, process)
    assert kill(process, how) == 130
    nothing_left(user)
    assert '"verdict": "error"' in (tmp_path / "run.json").read_text()
    assert "<error" in (tmp_path / "run.xml").read_text()


@pytest.mark.usefixtures("removed")
def test_a_lab_whose_hosts_died_can_be_removed_and_says_so_before(user: User, plain_file: Path) -> None:
    assert user.run("up", str(plain_file), "--name", LAB).status == 0
    engine("kill", *(f"swarmlab-{LAB}-host{n}" for n in (1, 2, 3)))
    ended = user.run("verify", LAB)
    assert ended.status == 3
    assert "host1" in ended.err
    assert "Traceback" not in ended.err + ended.out
    assert "down" in user.run("status", LAB).out
    assert user.run("down", LAB).status == 0
    nothing_left(user)


def test_two_users_of_one_engine_do_not_see_each_others_labs(user: User, tmp_path: Path, plain_file: Path) -> None:
    """`down` of somebody with another SWARMLAB_HOME must not touch this lab, by name or with --all."""
    stranger = User(tmp_path / "other")
    assert user.run("up", str(plain_file), "--name", "mine", "--no-verify").status == 0
    assert stranger.run("down", "--all").status == 0
    refused = stranger.run("down", "mine")
    assert refused.status != 0
    assert "mine" in refused.err
    assert stranger.run("up", str(plain_file), "--name", "mine").status == 3
    assert user.run("verify", "mine").status == 0
    assert user.run("down", "mine").status == 0
    assert leftovers("mine") == []


@pytest.mark.usefixtures("removed")
def test_two_ups_of_one_lab_cannot_interleave(user: User, plain_file: Path) -> None:
    process = user.start("up", str(plain_file), "--name", LAB, "--no-verify")
    reach(MOMENTS["the underlay exists"], user, process)
    second = user.run("up", str(plain_file), "--name", LAB)
    assert second.status == 3
    assert f"process {process.pid}" in second.err
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert user.run("down", LAB).status == 0
