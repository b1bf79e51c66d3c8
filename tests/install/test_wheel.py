"""What is published works without this repository: the wheel is built, installed elsewhere, and used there."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path

import pytest

from swarmlab import __version__

ROOT = Path(__file__).parents[2]
INFO = f"swarmlab-{__version__}.dist-info"
SCENARIOS = sorted(file.parent.name for file in ROOT.glob("scenarios/*/compose.yaml"))


def _run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that must succeed."""
    ran = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
    return ran.stdout


def _members(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _sources(room: str) -> set[str]:
    """Every file of a room, but for what Python itself puts there."""
    files = (file for file in (ROOT / room).rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {str(file.relative_to(ROOT)) for file in files}


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive, made in an environment of its own: with what pyproject.toml asks for and nothing else."""
    folder = tmp_path_factory.mktemp("sdist")
    _run(sys.executable, "-m", "build", "--sdist", "--outdir", folder, ROOT, cwd=folder)
    return next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is made of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return next(folder.glob("*.whl"))


@dataclass(frozen=True)
class Machine:
    """An environment with the wheel in it, and an empty directory to stand in."""

    bin: Path
    empty: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command of that environment. No engine answers it, and nothing leads back to the checkout."""
        home = {
            "HOME": str(self.empty),
            "SWARMLAB_HOME": str(self.empty / "state"),
            "DOCKER_HOST": f"unix://{self.empty}/no.sock",
        }
        env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "COLUMNS": "100", **home}
        line = [str(self.bin / command[0]), *command[1:]]
        return subprocess.run(line, cwd=self.empty, env=env, capture_output=True, text=True, check=False)

    def output(self, *command: str) -> str:
        """Standard output of a command that must succeed."""
        ran = self.run(*command)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Machine:
    """The locked packages, then the wheel, which must ask for nothing that the lock has not."""
    home = tmp_path_factory.mktemp("machine")
    venv.create(home / "env", with_pip=True)
    python = home / "env" / "bin" / "python"
    pip = (python, "-m", "pip", "--disable-pip-version-check")
    _run(*pip, "install", "--quiet", "--require-hashes", "--requirement", ROOT / "requirements" / "run.txt", cwd=home)
    _run(*pip, "install", "--quiet", "--no-deps", wheel, cwd=home)
    _run(*pip, "check", cwd=home)
    (home / "empty").mkdir()
    return Machine(python.parent, home / "empty")


def test_the_wheel_has_every_file_of_the_package_and_every_scenario(wheel: Path) -> None:
    wanted = _sources("swarmlab") | {f"swarmlab/{name}" for name in _sources("scenarios")}
    assert {name for name in _members(wheel) if not name.startswith(INFO)} == wanted


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    members = _members(wheel)
    metadata = Parser().parsestr(members[f"{INFO}/METADATA"].decode())
    assert (metadata["Name"], metadata["Version"], metadata["License-Expression"]) == (
        "swarmlab",
        __version__,
        "Apache-2.0",
    )
    assert members[f"{INFO}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()


def test_the_sdist_makes_the_same_wheel(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    _run("tar", "--extract", "--file", sdist, cwd=tmp_path)
    unpacked = tmp_path / f"swarmlab-{__version__}"
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, unpacked, cwd=tmp_path)
    assert _members(next(tmp_path.glob("*.whl"))) == _members(wheel)


def test_list_shows_the_shipped_scenarios(machine: Machine) -> None:
    listed = machine.output("swarmlab", "list").partition("labs\n")[0]
    assert [line.split()[0] for line in listed.splitlines()[1:]] == SCENARIOS
    assert "unusable" not in listed


@pytest.mark.parametrize("name", SCENARIOS)
def test_check_show_and_plan_find_them(machine: Machine, name: str) -> None:
    assert machine.output("swarmlab", "check", name).splitlines()[-1].startswith(f"{name}: ok, ")
    assert machine.output("swarmlab", "show", name).startswith(f"{name}: ")
    assert machine.output("swarmlab", "plan", name, "--provider", "docker")


def test_up_gets_as_far_as_the_engine(machine: Machine) -> None:
    ran = machine.run("swarmlab", "up", "three-tier", "--provider", "docker")
    assert (ran.returncode, "no Docker Engine" in ran.stderr) == (3, True), ran.stderr


def test_as_a_module_it_is_the_same(machine: Machine) -> None:
    assert machine.output("swarmlab", "--version") == f"swarmlab {__version__}\n"
    assert machine.output("python", "-m", "swarmlab", "--version") == f"swarmlab {__version__}\n"


@pytest.mark.parametrize("what", ["report", "scenario", "matrix"])
def test_schemas_are_printed(machine: Machine, what: str) -> None:
    assert machine.output("swarmlab", "schema", what).startswith("{")
