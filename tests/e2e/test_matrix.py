"""Engines side by side: a mixed Swarm, the same scenario on several engines, and what one that cannot be built does to
the others.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.driver import ROOT, Ended, User, leftovers

pytestmark = [pytest.mark.root, pytest.mark.lab]

TINY = """\
version: "3.8"
services:
  one: {image: "swarmlab/stand-in:1", networks: [closed], deploy: {mode: global, endpoint_mode: dnsrr}}
networks:
  closed: {driver: overlay, internal: true}
x-swarmlab: {hosts: 2}
"""
NO_IMAGE = "cannot be built"  # an archive that is out of reach, or too old: nothing that these tests are about

# The program with a recipe that no archive has, which is what a user meets whose mirror lacks a suite.
BROKEN = """
import sys
from dataclasses import replace
from swarmlab.providers.images.recipe import RECIPES
RECIPES["26.1"] = replace(RECIPES["26.1"], suite="no-such-suite")
from swarmlab.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY)
    return file


def built(ended: Ended) -> Ended:
    """The same, unless an engine's image cannot be had here."""
    if ended.status == 3 and NO_IMAGE in ended.err:
        pytest.skip(ended.err[-400:])
    return ended


def test_a_mixed_swarm_is_proven_and_keeps_its_engines(user: User, tmp_path: Path, plain_file: Path) -> None:
    mixed, file = "host1=20.10,host2=26.1,host3=28.5", tmp_path / "r.json"
    try:
        ended = built(user.run("up", str(plain_file), "--name", "mixed", "--engine", mixed, "--json", str(file)))
        assert ended.status == 0, ended
        engines = [host["engine"][:5] for host in json.loads(file.read_text())["hosts"]]
        assert engines == ["20.10", "26.1.", "28.5."]
        assert "26.1.5" in ended.out.split("reach")[0]
        assert "(host2)" in ended.out.split("reach")[0]
        refused = user.run("up", str(plain_file), "--name", "mixed", "--engine", "20.10")
        assert refused.status == 2
        assert "host2 of lab 'mixed' runs engine 26.1, and 20.10 is asked for; the lab stays as it is" in refused.err
        assert user.run("verify", "mixed").status == 0, "the lab is as it was"
        assert user.run("up", str(plain_file), "--name", "mixed").status == 0, "what is not said stays"
    finally:
        user.run("down", "mixed")


def test_the_same_scenario_on_two_engines_and_mixed(user: User, tiny: Path, tmp_path: Path) -> None:
    file = tmp_path / "m.json"
    ended = built(user.run("matrix", str(tiny), "--engines", "20.10,26.1", "--name", "side", "--json", str(file)))
    assert ended.status == 0, ended
    document = json.loads(file.read_text())
    assert [run["name"] for run in document["runs"]] == ["20.10", "26.1", "mixed"]
    assert document["compared"] == ["20.10", "26.1", "mixed"]
    assert document["differences"] == []
    assert document["same"] == document["runs"][0]["report"]["summary"]["pass"] > 10
    assert {host["engine"][:4] for host in document["runs"][2]["report"]["hosts"]} == {"20.1", "26.1"}
    assert "same on all" in ended.out
    assert [leftovers(f"side-{name}") for name in ("20-10", "26-1", "mixed")] == [[], [], []]


def test_an_engine_that_cannot_be_built_is_a_column_with_its_error(user: User, tiny: Path, tmp_path: Path) -> None:
    file = tmp_path / "m.json"
    flags = ["--engines", "26.1,20.10", "--no-mixed", "--name", "lame", "--json", str(file)]
    done = subprocess.run(
        [sys.executable, "-c", BROKEN, "matrix", str(tiny), *flags],
        env=user.environment, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done
    broken, whole = json.loads(file.read_text())["runs"]
    assert (broken["status"], broken["report"]["checks"]) == (3, [])
    assert NO_IMAGE in broken["report"]["error"]
    assert (whole["name"], whole["status"]) == ("20.10", 0)
    assert "nothing to compare: only 20.10 was measured" in done.stdout
    assert leftovers("lame-26-1") == leftovers("lame-20-10") == []
    assert "lame" not in user.run("list").out


def test_interrupted_it_removes_the_lab_that_it_was_at_and_writes_what_it_knows(
    user: User, tiny: Path, tmp_path: Path
) -> None:
    file = tmp_path / "m.json"
    process = user.start("matrix", str(tiny), "--engines", "20.10,26.1", "--name", "cut", "--json", str(file))
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("swarm "):
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == 130
    document = json.loads(file.read_text())
    assert (document["error"], document["runs"]) == ("interrupted", [])
    assert leftovers("cut-20-10") == []
    assert "cut" not in user.run("list").out
