"""What is remembered of labs: who may read it, what is left of it, and what happens when somebody damages it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from swarmlab import providers
from swarmlab.errors import LabBusy, LabUnknown, ProviderError, UsageError
from swarmlab.events import Bus
from swarmlab.lab import down, home, saved, state
from swarmlab.lab.state import LabState
from swarmlab.lab.status import status
from swarmlab.providers import Kernel, Row

KEPT = LabState("shop", "three-tier", "docker", "compose.yaml", 3, 1)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory that does not exist yet, and an engine on which nothing is."""
    nothing = SimpleNamespace(name="docker", destroy=lambda lab, home: [], found=lambda home: {}, fitness=list)
    monkeypatch.setenv("SWARMLAB_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(providers, "PROVIDERS", {"docker": Row(lambda: nothing, Kernel.SHARED, 1)})
    return tmp_path / "state"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_everything_is_for_its_owner_only(place: Path) -> None:
    state.save(KEPT)
    with home.locked("shop"):
        found = {str(path.relative_to(place.parent)): mode(path) for path in [place, *place.rglob("*")]}
    assert found == {
        "state": 0o700,
        "state/labs": 0o700,
        "state/labs/shop": 0o700,
        "state/labs/shop/lab.json": 0o600,
        "state/locks": 0o700,
        "state/locks/shop.lock": 0o600,
    }


def test_a_directory_that_others_use_keeps_its_mode(place: Path) -> None:
    place.mkdir(mode=0o755)
    (place / "theirs").touch()
    state.save(KEPT)
    assert (mode(place), mode(place / "labs")) == (0o755, 0o700)


def test_a_lab_that_is_gone_leaves_no_lock(place: Path) -> None:
    state.save(KEPT)
    with home.locked("shop"), pytest.raises(LabBusy), home.locked("shop"):
        pass
    assert (place / "locks" / "shop.lock").exists()
    assert down.down("shop", Bus()) == ["state of lab shop"]
    assert list((place / "locks").iterdir()) == []
    with home.locked("shop"):
        pass


def test_what_cannot_be_a_lab_is_none(place: Path) -> None:
    (place / "labs" / "We ird").mkdir(parents=True)
    assert home.names() == []
    with pytest.raises(LabUnknown) as caught:
        down.down("../etc", Bus())
    assert str(caught.value) == "there is no lab '../etc'; labs: none\n  fix: no lab can have that name"


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "7", '{"schema": 1}', '{"schema": 1, "hosts": [null]}', "\udcff"]
)
def test_a_damaged_lab_is_shown_and_can_be_removed(text: str, place: Path) -> None:
    state.save(KEPT)
    (place / "labs" / "shop" / "lab.json").write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ProviderError, match=r"lab\.json: damaged"):
        state.require("shop")
    assert [(lab.name, lab.state) for lab in status(None)] == [("shop", "damaged")]
    assert down.down("shop", Bus()) == ["state of lab shop"]


def test_a_lab_of_a_provider_that_is_not_here_can_be_removed() -> None:
    state.save(LabState("shop", "three-tier", "podman", "compose.yaml", 3, 1))
    assert down.down("shop", Bus()) == ["state of lab shop"]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": "swarmlab.report/1", "checks": [{}]}', "\udcff"])
def test_a_damaged_report_is_named(text: str, place: Path) -> None:
    state.save(KEPT)
    file = place / "labs" / "shop" / "report.json"
    file.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(UsageError) as caught:
        saved.last_report("shop")
    assert str(caught.value).startswith(f"{file}: damaged (")
    assert caught.value.fix == "`swarmlab verify shop` makes a new one"
    assert status("shop")[0].verdict.startswith("unreadable: ")
