"""The small commands: what they print, as text and as JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest

from swarmlab import scenario as scenarios
from swarmlab.cli.flags import ENGINES, KERNELS
from swarmlab.errors import Place
from swarmlab.events import Bus
from swarmlab.lab.capabilities import Capabilities
from swarmlab.lab.options import UpOptions
from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import ALLOW, DENY, Kind
from swarmlab.model.scenario import Network, Scenario, Service
from swarmlab.providers import Availability, Problem
from swarmlab.providers.images.machine import SUITES
from swarmlab.providers.images.recipe import RECIPES
from swarmlab.reports import as_json
from tests.unit.cli.conftest import Fake, Run
from tests.unit.reports import samples

SCENARIO = Scenario(
    "shop",
    Path("compose.yaml"),
    "",
    {"front": Service("front", "busybox:1", {"web": ()}, 2), "agent": Service("agent", "busybox:1", {}, None)},
    {"web": Network("web")},
    expectations=(
        Expectation(kind=Kind.REACH, expected=DENY, because="they share no network", source="front", target="agent"),
        Expectation(
            kind=Kind.REACH,
            expected=ALLOW,
            because="the lesson says so",
            source="front",
            target="front",
            network="web",
            protocol="tcp",
            port=5432,
            derived=False,
        ),
    ),
    title="A shop",
    summary="Two services, one network.",
    level="beginner",
    concepts=("overlay",),
    questions=(("Why?", "Because."),),
)


@pytest.fixture
def scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario that needs no file."""
    entry = SimpleNamespace(name="shop", title="A shop", error="")
    monkeypatch.setattr(scenarios, "find", lambda reference: Path("compose.yaml"))
    monkeypatch.setattr(scenarios, "read", lambda file, settings=None, *, stand_in=False: SCENARIO)
    monkeypatch.setattr(
        scenarios, "warnings", lambda scenario: [(Place("compose.yaml", 4, 3), "no\x1b[2J limit"), (None, "odd")]
    )
    monkeypatch.setattr(scenarios, "catalogue", lambda: [entry])


def test_down_says_what_it_removed(fake: Fake, run: Run) -> None:
    asked: list[str | None] = []

    def down(name: str | None, bus: Bus) -> list[str]:
        asked.append(name)
        return ["host host1", "network shop"]

    fake("down", down)
    fake("down.down_all", lambda bus: [])
    assert run("down", "shop").out == "removed host host1\nremoved network shop\n"
    assert asked == ["shop"]
    assert run("down", "--all").out == "nothing to remove\n"


def test_down_of_one_and_all_is_refused(fake: Fake, run: Run) -> None:
    fake("down", lambda name, bus: pytest.fail("touched something"))
    fake("down.down_all", lambda bus: pytest.fail("touched something"))
    ran = run("down", "shop", "--all")
    assert (ran.status, ran.err) == (
        2,
        "swarmlab: a lab's name and --all do not go together\n  fix: give one of them\n",
    )


@dataclass
class HostStatus:
    name: str
    address: str
    state: str
    engine: str


@dataclass
class LabStatus:
    name: str = "shop"
    scenario: str = "three-tier"
    provider: str = "docker"
    state: str = "degraded"
    verdict: str = "pass"
    started: str = "2026-01-01"
    hosts: list[HostStatus] = field(
        default_factory=lambda: [
            HostStatus("host1", "172.30.0.2", "ready", "20.10.24"),
            HostStatus("h2", "", "down", ""),
        ]
    )
    services: list[tuple[str, str]] = field(default_factory=lambda: [("front", "2/2")])


def test_status(fake: Fake, run: Run) -> None:
    fake("status", lambda name: [LabStatus()])
    assert run("status").out == (
        "shop: degraded, scenario three-tier, provider docker, last proof: pass, since 2026-01-01\n"
        "  host1  172.30.0.2  ready  20.10.24\n"
        "  h2                 down\n"
        "  front  2/2\n"
    )
    assert json.loads(run("status", "--format", "json").out)[0]["hosts"][0]["name"] == "host1"


def test_status_of_nothing(fake: Fake, run: Run) -> None:
    fake("status", lambda name: [])
    assert run("status").out == "no lab exists; `swarmlab up SCENARIO` makes one\n"
    assert json.loads(run("status", "--format", "json").out) == []


@pytest.mark.usefixtures("scenario")
def test_list(run: Run, home: Path) -> None:
    assert run("list").out == "scenarios\n  shop  A shop\nlabs\n  none; `swarmlab up SCENARIO` makes one\n"
    (home / "labs" / "shop").mkdir(parents=True)
    assert run("list").out.endswith("labs\n  shop\n")


@pytest.mark.usefixtures("scenario")
def test_show(run: Run) -> None:
    assert run("show", "shop").out == (
        "shop: A shop\n"
        "3 hosts; level beginner; overlay\n"
        "\n"
        "Two services, one network.\n"
        "\n"
        "runs\n"
        "  front  2 tasks            busybox:1  on web\n"
        "  agent  one task per host  busybox:1  on no network\n"
        "\n"
        "expects\n"
        "  reach  front -> agent  deny\n"
        "  reach  front -> front  allow  tcp:5432 on web\n"
        "      because the lesson says so\n"
        "\n"
        "Question 1. Why?\n"
        "  Answer: Because.\n"
    )
    document = json.loads(run("show", "shop", "--format", "json").out)
    assert document["expectations"][0]["because"] == "they share no network"
    assert document["networks"]["web"] == {"driver": "overlay", "internal": False, "encrypted": False}


@pytest.mark.usefixtures("scenario")
def test_check(run: Run) -> None:
    ran = run("check", "compose.yaml")
    assert (ran.status, ran.out) == (
        0,
        "compose.yaml:4:3: warning: no limit\ncompose.yaml: warning: odd\n"
        "compose.yaml: ok, 2 services, 1 network, 2 expectations\n",
    )


CAPABILITIES = [
    Capabilities("docker", 200, {"esp": Availability(False, "refused"), "ip_vs": Availability(None, "not asked")}),
    Capabilities("qemu", 0, problems=(Problem("no qemu here", "install it"),)),
]
TABLE = """\
  provider  hosts           ESP  IPVS
  docker    yes, up to 200  no   not known
  qemu      no              -    -
  docker: ESP no: refused
  docker: IPVS not known: not asked
  qemu: no qemu here
"""


def test_plan(fake: Fake, run: Run) -> None:
    asked: list[UpOptions] = []

    def plan(options: UpOptions) -> SimpleNamespace:
        asked.append(options)
        return SimpleNamespace(
            lab="shop",
            provider="docker",
            why="the cheapest that works here",
            hosts=3,
            managers=1,
            scenario=SCENARIO,
            steps=["make 3 hosts"],
            problems=["docker: no engine\n  fix: start it"],
            needs=["ESP, which network back needs"],
            missing_features=["ESP, which network back needs"],
            capabilities=CAPABILITIES,
        )

    fake("plan", plan)
    out = run("plan", "shop", "--hosts", "3", "--set", "a=b").out
    assert out.startswith(
        "lab shop: scenario shop, provider docker (the cheapest that works here)\n\n"
        f"needs ESP, which network back needs\n{TABLE}\n1. make 3 hosts\n\nwould prove\n"
    )
    assert out.endswith("problem: docker: no engine\n  fix: start it\n")
    assert asked == [UpOptions("shop", hosts=3, settings={"a": "b"})]
    document = json.loads(run("plan", "shop", "--format", "json").out)
    assert (document["steps"], len(document["expectations"])) == (["make 3 hosts"], 2)
    assert document["needs"] == document["lacks"] == ["ESP, which network back needs"]
    assert document["providers"][0] == {
        "provider": "docker",
        "hosts": {"has": True, "most": 200, "why": ""},
        "esp": {"has": False, "why": "refused"},
        "ip_vs": {"has": None, "why": "not asked"},
    }
    assert document["providers"][1]["esp"] == {"has": False, "why": "it cannot make hosts here"}


@dataclass
class Fitness:
    name: str
    ok: bool
    detail: str
    fix: str = ""
    needed: bool = True


def test_doctor(fake: Fake, run: Run) -> None:
    fake(
        "doctor",
        lambda inventory: [Fitness("python", True, "3.11"), Fitness("ssh client", False, "not found", "install it")],
    )
    fake("capabilities.all_capabilities", lambda: CAPABILITIES)
    ran = run("doctor")
    assert (ran.status, ran.out) == (
        3,
        f"ok  python      3.11\nXX  ssh client  not found\n    fix: install it\n{TABLE}1 problem\n",
    )
    assert [row["name"] for row in json.loads(run("doctor", "--format", "json").out)] == [
        "python",
        "ssh client",
        "offer docker",
        "offer qemu",
    ]
    fake("doctor", lambda inventory: [Fitness("python", True, "3.11")])
    assert run("doctor").status == 0
    fake(
        "doctor",
        lambda inventory: [
            Fitness("provider docker", True, "works"),
            Fitness("provider qemu", False, "none", "get it", needed=False),
        ],
    )
    ran = run("doctor")
    assert (ran.status, ran.out) == (
        0,
        f"ok  provider docker  works\n--  provider qemu    none\n    fix: get it\n{TABLE}all is well\n",
    )


def test_report_in_another_format(fake: Fake, run: Run, tmp_path: Path) -> None:
    fake("saved.last_report", lambda lab: samples.leaked())
    ran = run("report", "shop", "--format", "json", "--html", "r.html")
    assert ran.status == 1
    assert as_json.load(ran.out) == samples.leaked()
    assert (tmp_path / "r.html").exists()


def test_schema(run: Run) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(run("schema", "report").out))
    jsonschema.Draft202012Validator.check_schema(json.loads(run("schema", "scenario").out))
    assert run("schema", "else").status == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(run: Run, shell: str) -> None:
    assert f"_SWARMLAB_COMPLETE={shell}_complete" in run("completion", shell).out


def complete(words: str, index: int) -> list[str]:
    """What bash is offered."""
    env = {**os.environ, "_SWARMLAB_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(index)}
    ran = subprocess.run(
        ["python", "-m", "swarmlab"], env=env | {"PATH": _path()}, capture_output=True, text=True, check=True
    )
    return [line.partition(",")[2] for line in ran.stdout.splitlines()]


def _path() -> str:
    import sys

    return f"{Path(sys.executable).parent}:{os.environ['PATH']}"


def test_completion_knows_commands_flags_and_labs(home: Path) -> None:
    (home / "labs" / "shop").mkdir(parents=True)
    assert complete("swarmlab ver", 1) == ["verify"]
    assert complete("swarmlab up --js", 2) == ["--json"]
    assert complete("swarmlab down s", 2) == ["shop"]
    assert complete("swarmlab up --kernel host1=6", 3) == ["host1=6.1", "host1=6.12"]
    assert complete("swarmlab plan --kernel host1=6.1,host2=", 3) == [f"host1=6.1,host2={kernel}" for kernel in KERNELS]


def test_the_versions_that_a_shell_is_offered_are_those_that_there_are() -> None:
    assert (tuple(RECIPES), tuple(SUITES)) == (ENGINES, KERNELS)


class Entered(Exception):
    """We would have become another program."""


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """What would have been executed."""
    seen: list[Sequence[str]] = []

    def execvp(file: str, argv: Sequence[str]) -> None:
        seen.append(argv)
        assert signal.getsignal(signal.SIGPIPE) is signal.SIG_DFL
        raise SystemExit(0)

    monkeypatch.setattr(os, "execvp", execvp)
    return seen


@pytest.mark.parametrize(
    ("arguments", "inner"),
    [
        (["host1"], []),
        (["host1", "--", "docker", "node", "ls", "--format", "x y"], ["docker", "node", "ls", "--format", "x y"]),
        (["host1", "ls", "-la"], ["ls", "-la"]),
        (["host1", "--", "ls", "--", "--help"], ["ls", "--", "--help"]),
        (["host1", "--", "--", "x"], ["--", "x"]),
    ],
)
@pytest.mark.parametrize("verb", ["ssh", "exec"])
def test_the_inner_command_arrives_as_it_is(
    fake: Fake, entered: list[Sequence[str]], verb: str, arguments: list[str], inner: list[str]
) -> None:
    from swarmlab.cli.main import main

    def argv(lab: str, where: str, command: Sequence[str], *, terminal: bool = False) -> list[str]:
        return ["ssh", lab, where, *command]

    before = signal.getsignal(signal.SIGPIPE)
    fake("access.ssh_argv", argv)
    fake("access.exec_argv", argv)
    try:
        with pytest.raises(SystemExit):
            main([verb, "shop", *arguments])
    finally:
        signal.signal(signal.SIGPIPE, before)
    assert entered == [["ssh", "shop", "host1", *inner]]


def test_inner_status_comes_back(run: Run) -> None:
    import sys

    code = """
import sys
from types import SimpleNamespace
argv = ["sh", "-c", "exit 42"]
sys.modules["swarmlab.lab.access"] = SimpleNamespace(ssh_argv=lambda lab, host, command, **rest: argv)
from swarmlab.cli.main import main
sys.exit(main(["ssh", "shop", "host1"]))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 42


def test_a_missing_ssh_is_a_message(fake: Fake, run: Run) -> None:
    before = signal.getsignal(signal.SIGPIPE)
    fake("access.ssh_argv", lambda lab, host, command, **rest: ["no-such-ssh-client"])
    try:
        ran = run("ssh", "shop", "host1")
    finally:
        signal.signal(signal.SIGPIPE, before)
    assert (ran.status, ran.err) == (
        3,
        "swarmlab: no-such-ssh-client is not installed on this machine\n  fix: apt-get install openssh-client\n",
    )
