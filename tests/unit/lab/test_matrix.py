"""The runs of a matrix, with labs that are only said to be there: what is run where, what is removed, what does not
stop the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from swarmlab.errors import LabUnknown, ProviderError, RunFailed, SwarmlabError, UsageError
from swarmlab.events import Bus, Said
from swarmlab.lab import home, matrix
from swarmlab.lab.matrix import PlannedRun, planned_runs, runs
from swarmlab.lab.options import UpOptions
from swarmlab.model.matrix import EngineMatrix, EngineRun
from swarmlab.model.report import Report
from tests.unit.reports import samples

FILE = """\
services:
  one: {image: busybox, networks: [net]}
networks:
  net: {driver: overlay}
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARMLAB_HOME", str(tmp_path / "home"))


@pytest.fixture
def options(tmp_path: Path) -> UpOptions:
    (tmp_path / "shop.yaml").write_text(FILE)
    return UpOptions(str(tmp_path / "shop.yaml"), hosts=3)


class FakeLabs:
    """Answers each `up` with what was laid out for its engine, and remembers what was removed."""

    def __init__(self, answers: dict[str, Report | BaseException]) -> None:
        self.answers = answers
        self.removed: list[str] = []
        self.stuck = False

    def up(self, options: UpOptions, bus: Bus) -> Report:
        with bus.phase("hosts"):
            answer = self.answers[options.engine]
        if isinstance(answer, BaseException):
            raise answer
        return replace(answer, lab=options.name, timings=dict(bus.timings))

    def down(self, name: str, bus: Bus) -> list[str]:
        self.removed.append(name)
        if self.stuck:
            raise ProviderError("the engine does not answer")
        if isinstance(self.answers.get(name), LabUnknown):
            raise self.answers[name]  # type: ignore[misc]
        return [name]


@pytest.fixture
def labs(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLabs]:
    fake = FakeLabs({})
    monkeypatch.setattr(matrix, "up", fake.up)
    monkeypatch.setattr(matrix, "down", fake.down)
    yield fake


def test_one_run_for_each_engine_and_one_with_all_of_them(options: UpOptions) -> None:
    made = planned_runs(options, ["20.10", "28.5"], mixed=True, keep=False)
    assert [(t.name, t.options.name, t.options.engine) for t in made] == [
        ("20.10", "shop-20-10", "20.10"),
        ("28.5", "shop-28-5", "28.5"),
        ("mixed", "shop-mixed", "host1=20.10,host2=28.5,host3=20.10"),
    ]
    assert made[2].engines == {"host1": "20.10", "host2": "28.5", "host3": "20.10"}


@pytest.mark.parametrize(
    ("engines", "hosts", "mixed"), [(["20.10"], 3, True), (["20.10", "28.5"], 1, True), (["20.10", "28.5"], 3, False)]
)
def test_nothing_is_mixed_where_there_is_nothing_to_mix(
    options: UpOptions, engines: list[str], hosts: int, mixed: bool
) -> None:
    assert [t.name for t in planned_runs(replace(options, hosts=hosts), engines, mixed=mixed, keep=False)] == engines


def test_a_lab_that_is_there_is_not_removed(options: UpOptions) -> None:
    from swarmlab.lab.state import LabState, save

    home.private_directory(home.lab_directory("shop-28-5"))
    save(LabState("shop-28-5", "shop", "docker", "x", 3, 1, engine="28.5"))
    with pytest.raises(UsageError, match="there is a lab 'shop-28-5' already, and the matrix would remove it"):
        planned_runs(options, ["20.10", "28.5"], mixed=True, keep=False)
    assert len(planned_runs(options, ["20.10", "28.5"], mixed=True, keep=True)) == 3


def test_a_name_too_long_is_said_before_anything_is_made(options: UpOptions) -> None:
    with pytest.raises(UsageError, match="cannot name a lab"):
        planned_runs(replace(options, name="a" * 32), ["20.10"], mixed=False, keep=False)


def made(*names: str) -> list[PlannedRun]:
    return [PlannedRun(n, {"host1": n}, UpOptions("shop", name=f"shop-{n.replace('.', '-')}", engine=n)) for n in names]


def test_what_cannot_be_built_does_not_stop_the_others(labs: FakeLabs) -> None:
    failed = RunFailed(ProviderError("no image", fix="wait"), replace(samples.crashed(), error="no image"))
    labs.answers = {"20.10": failed, "26.1": SwarmlabError("busy"), "28.5": samples.passed()}
    found = list(runs(made("20.10", "26.1", "28.5"), Bus(), "docker", keep=False))
    assert [(r.status, r.report.error) for r in found] == [(3, "no image"), (3, "busy"), (0, "")]
    assert labs.removed == ["shop-20-10", "shop-26-1", "shop-28-5"]
    assert all(list(r.report.timings) == ["hosts"] for r in found[1:]), "each run has seconds of its own"


def test_what_was_rolled_back_already_needs_no_removal(labs: FakeLabs) -> None:
    labs.answers = {"20.10": SwarmlabError("no image"), "shop-20-10": LabUnknown("there is no lab")}
    assert [r.status for r in runs(made("20.10"), Bus(), "docker", keep=False)] == [3]


def test_engines_that_the_mix_has_no_host_for_are_named(labs: FakeLabs, options: UpOptions) -> None:
    said: list[object] = []
    wanted = planned_runs(replace(options, hosts=2), ["20.10", "26.1", "28.5"], mixed=True, keep=False)
    labs.answers = {planned.options.engine: samples.passed() for planned in wanted}
    list(runs(wanted, Bus([SimpleNamespace(notify=said.append)]), "docker", keep=False))
    assert Said("run 4 of 4: mixed, lab shop-mixed; 2 hosts leave no room for 28.5") in said
    assert Said("run 3 of 4: 28.5, lab shop-28-5") in said


def test_kept_labs_are_not_removed(labs: FakeLabs) -> None:
    labs.answers = {"20.10": samples.leaked()}
    assert [r.status for r in runs(made("20.10"), Bus(), "docker", keep=True)] == [1]
    assert labs.removed == []


def test_a_lab_that_cannot_be_removed_is_no_success(labs: FakeLabs) -> None:
    labs.answers, labs.stuck = {"20.10": samples.passed()}, True
    (found,) = runs(made("20.10"), Bus(), "docker", keep=False)
    assert (found.status, found.report.verdict) == (3, "pass")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), KeyError("our own mistake")])
def test_an_interrupted_run_takes_its_lab_with_it_and_is_the_last(labs: FakeLabs, error: BaseException) -> None:
    labs.answers = {"20.10": samples.passed(), "26.1": error, "28.5": samples.passed()}
    seen: list[str] = []
    with pytest.raises(type(error)):
        seen.extend(run.name for run in runs(made("20.10", "26.1", "28.5"), Bus(), "docker", keep=False))
    assert labs.removed == ["shop-20-10", "shop-26-1"]


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [([], 4), ([0], 0), ([0, 4], 4), ([4, 1, 0], 1), ([0, 1, 3, 4], 3), ([0, 2], 3)],
)
def test_the_status_is_the_worst_of_the_runs(statuses: list[int], worst: int) -> None:
    several = tuple(EngineRun(str(n), "lab", {}, samples.passed(), status) for n, status in enumerate(statuses))
    assert EngineMatrix("shop", "docker", runs=several).status == worst
    assert EngineMatrix("shop", "docker", runs=several, error="interrupted").status == 3
