"""The entry point: messages instead of tracebacks, statuses that mean something, a help that comes at once."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest

from swarmlab.cli.lazy import COMMANDS
from swarmlab.cli.main import cli
from swarmlab.errors import FileRejected, HostError, Place
from swarmlab.events import Bus
from tests.unit.cli.conftest import Fake, Run
from tests.unit.reports import samples

ROOT = Path(__file__).parents[3]
HEAVY = ("docker", "fabric", "paramiko", "invoke", "rich", "pydantic", "jinja2", "yaml")


def command(name: str) -> click.Command:
    """One command of the group."""
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_an_example(run: Run, name: str) -> None:
    ran = run(name, "--help")
    assert ran.status == 0
    assert f"Examples:\n    {'eval' if name == 'completion' else 'swarmlab ' + name}" in ran.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_flag_is_explained_and_named_like_its_twin(name: str) -> None:
    for option in command(name).params:
        if isinstance(option, click.Option):
            flag = max(option.opts, key=len)
            assert option.help, flag
            assert option.name == flag.removeprefix("--").replace("-", "_"), "the environment twin is made of this name"


def test_all_commands_of_the_contract(run: Run) -> None:
    listed = run("--help").out
    contract = "up verify matrix down status list show check plan doctor ssh exec report schema completion".split()  # noqa: SIM905
    assert list(COMMANDS) == contract
    for name in contract:
        assert f"\n  {name} " in listed


def test_help_imports_nothing_heavy() -> None:
    code = f"""
import sys
from swarmlab.cli.main import main
assert main(["--help"]) == 0
print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == "[]"


def test_bare_call_shows_the_help(run: Run) -> None:
    ran = run()
    assert ran.status == 2
    assert "swarmlab up three-tier" in ran.out + ran.err


def test_unknown_command_lists_the_known(run: Run) -> None:
    ran = run("upp")
    assert ran.status == 2
    assert "no such command 'upp'; commands: up, verify, matrix, down" in ran.err


def test_version(run: Run) -> None:
    assert run("--version").out == "swarmlab 0.1.0\n"


def test_an_error_has_its_fix_on_a_line_of_its_own(fake: Fake, run: Run) -> None:
    def down(name: str | None, bus: Bus) -> list[str]:
        raise HostError("host1", "does not \x1b[31manswer\x07", fix="start it")

    fake("down", down)
    fake("down.down_all", down)
    ran = run("down", "shop")
    assert (ran.status, ran.err) == (3, "swarmlab: host1: does not answer\n  fix: start it\n")


def test_a_rejected_file_names_every_place(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    def find(reference: str) -> Path:
        raise FileRejected([(Place("a.yaml", 3, 5), "unknown key 'x'"), (None, "too large")], file="a.yaml")

    monkeypatch.setattr("swarmlab.scenario.find", find)
    ran = run("check", "a.yaml")
    assert (ran.status, ran.err) == (2, "swarmlab: a.yaml:3:5: unknown key 'x'\na.yaml: too large\n")


def test_our_own_mistake_goes_to_a_private_file(fake: Fake, run: Run, home: Path) -> None:
    def status(name: str | None) -> None:
        raise KeyError("surprise")

    fake("status", status)
    ran = run("status")
    (crash,) = home.glob("crash-*.txt")
    assert ran.status == 3
    assert ran.err.startswith("swarmlab: internal error: KeyError: 'surprise'\n  fix: ")
    assert str(crash) in ran.err
    assert "Traceback" not in ran.err
    assert stat.S_IMODE(crash.stat().st_mode) == 0o600
    assert "KeyError: 'surprise'" in crash.read_text()


def test_debug_shows_the_traceback(fake: Fake, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def status(name: str | None) -> None:
        raise KeyError("surprise")

    fake("status", status)
    monkeypatch.setenv("SWARMLAB_DEBUG", "1")
    with pytest.raises(KeyError):
        run("status")


@pytest.mark.parametrize("error", [EOFError(), BrokenPipeError(32, "Broken pipe")])
def test_a_connection_that_breaks_is_neither_an_interrupt_nor_a_verdict(fake: Fake, run: Run, error: Exception) -> None:
    def status(name: str | None) -> None:
        raise error

    fake("status", status)
    ran = run("status")
    assert ran.status == 3
    assert "internal error: RuntimeError: a connection" in ran.err


def program(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    """The real program in a process of its own, with a lab of a few lines."""
    script = f"""
import signal, sys, time
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests under nohup has it ignored, and so would we
from types import SimpleNamespace
from tests.unit.reports import samples
{code}
from swarmlab.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_a_reader_who_goes_away_is_no_verdict() -> None:
    code = "sys.modules['swarmlab.lab.saved'] = SimpleNamespace(last_report=lambda lab: samples.wide(30))"
    for arguments in (["report"], ["report", "--format", "json"]):
        process = program(code, *arguments)
        assert process.stdout is not None
        process.stdout.close()
        complaint = process.stderr.read().decode() if process.stderr else ""
        assert process.wait(30) == 141
        assert "Traceback" not in complaint
        assert "rror" not in complaint.replace(samples.passed().lab, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_interrupt_and_the_report_is_written(tmp_path: Path, number: signal.Signals) -> None:
    code = """
def up(options, bus):
    with bus.phase("hosts"):
        bus.warn("ready")
        time.sleep(30)
sys.modules["swarmlab.lab.up"] = SimpleNamespace(up=up)
"""
    process = program(code, "up", "three-tier", "--json", str(tmp_path / "r.json"))
    assert process.stderr is not None
    assert b"ready" in process.stderr.readline()
    process.send_signal(number)
    assert process.wait(30) == 130
    assert process.stderr.read().decode().splitlines()[-1] == "swarmlab: interrupted"
    assert json.loads((tmp_path / "r.json").read_text())["error"] == "interrupted"


def test_odd_names_survive_a_plain_locale() -> None:
    code = """
from dataclasses import replace
report = replace(samples.passed(), lab="caf\\u00e9 \\ud800")
sys.modules["swarmlab.lab.saved"] = SimpleNamespace(last_report=lambda lab: report)
"""
    os.environ["PYTHONIOENCODING"] = "ascii"
    try:
        process = program(code, "report")
    finally:
        del os.environ["PYTHONIOENCODING"]
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert out.startswith(b"caf? (three-tier) on docker")


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["check", "no/such.yaml"], ["nosuch"]])
def test_as_a_module_it_is_the_same_command(run: Run, arguments: list[str]) -> None:
    """Same texts, same name in them, same exit status as the console script, which calls `main` too."""
    ran = subprocess.run(
        [sys.executable, "-m", "swarmlab", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    script = run(*arguments)
    assert (ran.returncode, ran.stdout, ran.stderr) == (script.status, script.out, script.err)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors_change_nothing(closed: str) -> None:
    line = f'"{sys.executable}" -m swarmlab schema report {closed}'
    ran = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_no_mistake_of_ours() -> None:
    line = f'"{sys.executable}" -m swarmlab schema report >/dev/full'
    ran = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (3, "swarmlab: output: cannot be written: No space left on device\n")
