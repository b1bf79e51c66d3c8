"""`up` and `verify`: flags become options, reports become output, files and exit statuses."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from swarmlab.errors import HostError, LabUnknown, RunFailed, SwarmlabError, UsageError
from swarmlab.events import Bus
from swarmlab.lab.options import UpOptions
from swarmlab.model.report import Report
from swarmlab.providers import PROVIDERS
from tests.unit.cli.conftest import Fake, Run
from tests.unit.reports import samples


class Lab:
    """Remembers what it was asked for, and answers with a report or an error."""

    def __init__(self, answer: Report | BaseException) -> None:
        self.answer = answer
        self.options: Any = None

    def up(self, options: UpOptions, bus: Bus) -> Report:
        self.options = options
        with bus.phase("hosts", "3 hosts"):
            pass
        if isinstance(self.answer, Report):
            return self.answer
        raise self.answer

    def verify(self, name: str | None, bus: Bus, *, timeout: float = 2.0, pcap: Path | None = None) -> Report:
        return self.up(UpOptions(str(name), timeout=timeout), bus)


def test_flags_become_options(fake: Fake, run: Run) -> None:
    lab = Lab(samples.passed())
    fake("up", lab.up)
    flags = (
        "--provider docker --hosts 5 --managers 3 --engine 28.5 --name shop --set a=1 --set b=x=y --stand-in "
        "--timeout 0.5 --wait 60"
    )
    assert run("up", "three-tier", *flags.split(), "--no-rollback").status == 0
    assert lab.options == UpOptions(
        "three-tier",
        "shop",
        "docker",
        None,
        5,
        3,
        "28.5",
        {"a": "1", "b": "x=y"},
        stand_in=True,
        timeout=0.5,
        wait=60.0,
        rollback=False,
    )


def test_hosts_may_have_engines_of_their_own(fake: Fake, run: Run) -> None:
    lab = Lab(samples.passed())
    fake("up", lab.up)
    assert run("up", "three-tier", "--engine", "host1=20.10,host2=28.5").status == 0
    assert lab.options.engine == "host1=20.10,host2=28.5"


def test_hosts_may_have_kernels_of_their_own(fake: Fake, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab(samples.passed())
    fake("up", lab.up)
    assert run("up", "three-tier", "--kernel", "host1=6.1,host2=6.12").status == 0
    assert lab.options.kernel == "host1=6.1,host2=6.12"
    monkeypatch.setenv("SWARMLAB_UP_KERNEL", "7.2")
    run("up", "three-tier")
    assert lab.options.kernel == "7.2"


def test_every_flag_has_an_environment_twin(
    fake: Fake, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lab = Lab(samples.passed())
    fake("up", lab.up)
    twins = {
        "HOSTS": "2",
        "SET": "a=1 b=2",
        "NO_ROLLBACK": "1",
        "JSON": str(tmp_path / "r.json"),
        "FORMAT": "json",
        "TIMEOUT": "3",
    }
    for name, value in twins.items():
        monkeypatch.setenv(f"SWARMLAB_UP_{name}", value)
    ran = run("up", "three-tier")
    assert lab.options == UpOptions("three-tier", hosts=2, settings={"a": "1", "b": "2"}, timeout=3.0, rollback=False)
    assert json.loads(ran.out) == json.loads((tmp_path / "r.json").read_text())


@pytest.mark.parametrize(
    ("report", "status"),
    [
        (samples.passed(), 0),
        (samples.leaked(), 1),
        (samples.mixed(), 1),
        (samples.not_proven(), 4),
        (replace(samples.passed(), checks=()), 4),
    ],
)
@pytest.mark.parametrize("verb", ["up", "verify"])
def test_exit_status_is_the_verdict(fake: Fake, run: Run, verb: str, report: Report, status: int) -> None:
    fake(verb, getattr(Lab(report), verb))
    assert run(verb, "three-tier").status == status


def test_no_verify_proves_nothing_and_misses_nothing(fake: Fake, run: Run) -> None:
    lab = Lab(replace(samples.passed(), checks=()))
    fake("up", lab.up)
    ran = run("up", "three-tier", "--no-verify")
    assert (ran.status, lab.options.verify) == (0, False)
    assert "NOT PROVEN" in ran.out


def test_table_on_stdout_progress_on_stderr(fake: Fake, run: Run) -> None:
    fake("up", Lab(samples.passed()).up)
    ran = run("up", "three-tier")
    assert "PASS  84 checks" in ran.out
    assert "hosts" in ran.err
    assert "PASS" not in ran.err


def test_json_leaves_stdout_to_one_document(fake: Fake, run: Run) -> None:
    fake("verify", Lab(samples.leaked()).verify)
    ran = run("verify", "--format", "json")
    assert json.loads(ran.out)["verdict"] == "fail"
    assert "FAIL  84 checks" in ran.err


def test_all_files_are_written(fake: Fake, run: Run, tmp_path: Path) -> None:
    fake("up", Lab(samples.not_proven()).up)
    assert run("up", "three-tier", "--json", "r.json", "--junit", "r.xml", "--html", "r.html").status == 4
    assert json.loads((tmp_path / "r.json").read_text())["summary"]["inconclusive"] == 6
    assert len(list(Xml.parse(tmp_path / "r.xml").iter("error"))) == 6
    assert "NOT PROVEN" in (tmp_path / "r.html").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.html", "r.json", "r.xml"]


def test_files_can_be_read_by_who_collects_them(fake: Fake, run: Run, tmp_path: Path) -> None:
    fake("up", Lab(samples.passed()).up)
    run("up", "three-tier", "--json", "r.json")
    assert stat.S_IMODE((tmp_path / "r.json").stat().st_mode) & 0o044


ENDINGS: list[tuple[BaseException, int, str]] = [
    (HostError("host2", "does not answer"), 3, "host2: does not answer"),
    (RunFailed(HostError("host2", "does not answer", fix="start it"), samples.crashed()), 3, samples.crashed().error),
    (RunFailed(HostError("host2", "gone"), replace(samples.mixed(), error="gone")), 3, "gone"),
    (
        RunFailed(UsageError("no such image", fix="build it"), replace(samples.crashed(), error="no such image")),
        2,
        "no such image",
    ),
    (KeyboardInterrupt(), 130, "interrupted"),
    (ZeroDivisionError("oops"), 3, "internal error: ZeroDivisionError: oops"),
    (SystemError(), 3, "internal error: SystemError: "),
]


@pytest.mark.parametrize(("error", "status", "text"), ENDINGS)
@pytest.mark.parametrize("verb", ["up", "verify"])
def test_files_exist_however_it_ends(
    fake: Fake, run: Run, tmp_path: Path, verb: str, error: BaseException, status: int, text: str
) -> None:
    fake(verb, getattr(Lab(error), verb))
    ran = run(verb, "three-tier", "--json", "r.json", "--junit", "r.xml", "--format", "json")
    document = json.loads((tmp_path / "r.json").read_text())
    assert ran.status == status
    assert (document["verdict"], document["error"]) == ("error", text)
    assert [e for e in Xml.parse(tmp_path / "r.xml").iter("error") if e.get("type") == "error"]
    assert json.loads(ran.out) == document
    assert "Traceback" not in ran.err


def test_a_crash_so_early_that_nothing_is_known_names_the_lab_all_the_same(
    fake: Fake, run: Run, tmp_path: Path
) -> None:
    fake("up", Lab(SwarmlabError("no disk")).up)
    run("up", "three-tier", "--name", "shop", "--json", "r.json")
    document = json.loads((tmp_path / "r.json").read_text())
    assert (document["lab"], document["scenario"], list(document["timings"])) == ("shop", "three-tier", ["hosts"])
    assert document["started"]


def test_usage_errors_write_nothing(fake: Fake, run: Run, tmp_path: Path) -> None:
    fake("verify", Lab(LabUnknown("there is no lab 'x'; labs: shop")).verify)
    ran = run("verify", "x", "--json", "r.json")
    assert (ran.status, ran.out, ran.err.splitlines()[-1]) == (2, "", "swarmlab: there is no lab 'x'; labs: shop")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["--hosts", "0"], "0 is not in the range 1<=x<=100"),
        (["--hosts", "many"], "'many' is not a valid integer"),
        (["--timeout", "0"], "0.0 is not in the range 0.2<=x<=60"),
        (["--timeout", "nan"], "'nan' is not a number of seconds"),
        (["--timeout", "inf"], "inf is not in the range"),
        (["--wait", "-1"], "-1.0 is not in the range"),
        (["--provider", "cloud"], f"'cloud' is not one of {', '.join(map(repr, ['auto', *PROVIDERS]))}"),
        (["--managers", "2"], "'2' is not one of '1', '3', '5'"),
        (["--engine", "19"], "'19' is not one of '20.10', '26.1', '28.5'"),
        (["--engine", "host1=20.10,host2=9"], "'9' is not one of '20.10', '26.1', '28.5'"),
        (["--engine", ""], "'' is not one of '20.10', '26.1', '28.5'"),
        (["--kernel", "5.10"], "'5.10' is not one of '6.1', '6.12', '7.2'"),
        (["--kernel", "host1=6.1,host2="], "'' is not one of '6.1', '6.12', '7.2'"),
        (["--kernel", "host1=6.1,"], "'' is not one of '6.1', '6.12', '7.2'"),
        (["--set", "novalue"], "number 1 is not KEY=VALUE"),
        (["--set", "1a=b"], "number 1 is not KEY=VALUE"),
        (["--set", "a=1", "--set", "a=2"], "a is given twice"),
        (["--format", "xml"], "'xml' is not one of 'table', 'json'"),
        (["--inventory", "nowhere.yaml"], "'nowhere.yaml' does not exist"),
        (["--name", "../x"], "'../x' cannot name a lab"),
        (["--name", "a;b"], "'a;b' cannot name a lab"),
        (["--name", "-x"], "'-x' cannot name a lab"),
        (["--json", "no/such/r.json"], "does not exist; make it first"),
        (["--junit", "."], "is a directory"),
        (["--color"], "No such option"),
        (["another"], "unexpected extra argument"),
    ],
)
def test_bad_flags_touch_nothing(fake: Fake, run: Run, tmp_path: Path, flags: list[str], text: str) -> None:
    lab = Lab(samples.passed())
    fake("up", lab.up)
    ran = run("up", "three-tier", *flags)
    assert ran.status == 2
    assert text.lower() in " ".join(ran.err.split()).lower()
    assert lab.options is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("exists", [True, False])
def test_two_formats_cannot_share_a_file(fake: Fake, run: Run, tmp_path: Path, exists: bool) -> None:
    if exists:
        (tmp_path / "r").touch()
    fake("up", Lab(samples.passed()).up)
    ran = run("up", "three-tier", "--json", "r", "--junit", "./r")
    assert (ran.status, ran.err.strip()) == (2, "swarmlab: --junit r: --json writes there already")


def test_hosts_of_an_inventory_are_never_passed_over(fake: Fake, run: Run, tmp_path: Path) -> None:
    (tmp_path / "hosts.yaml").touch()
    lab = Lab(samples.passed())
    fake("up", lab.up)
    assert run("up", "three-tier", "--inventory", "hosts.yaml").status == 0
    assert lab.options is not None
    assert lab.options.provider == "inventory"
    ran = run("up", "three-tier", "--inventory", "hosts.yaml", "--provider", "docker")
    assert (ran.status, ran.err) == (
        2,
        "swarmlab: --inventory and --provider docker do not go together\n  fix: leave one of them out\n",
    )


def test_a_setting_that_is_wrong_is_not_repeated(run: Run) -> None:
    assert "hunter2" not in run("up", "three-tier", "--set", "hunter2").err


def test_a_report_that_cannot_be_written_at_the_end_is_no_success(fake: Fake, run: Run, tmp_path: Path) -> None:
    directory = tmp_path / "out"
    directory.mkdir()

    def up(options: UpOptions, bus: Bus) -> Report:
        directory.rmdir()
        return samples.passed()

    fake("up", up)
    ran = run("up", "three-tier", "--json", "out/r.json", "--junit", "r.xml")
    assert ran.status == 3
    assert "PASS" in ran.out, "what was proven is shown all the same"
    assert (tmp_path / "r.xml").exists()
    assert "out/r.json: the report could not be written: No such file or directory" in ran.err


def test_a_device_may_be_the_file(fake: Fake, run: Run) -> None:
    fake("up", Lab(samples.passed()).up)
    assert run("up", "three-tier", "--json", "/dev/null").status == 0
    assert Path("/dev/null").is_char_device()
