"""Bad input -> the exact text that a user reads. Rewrite all with SWARMLAB_GOLDEN=write, then read the diff."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from swarmlab.errors import USAGE, FileRejected
from swarmlab.scenario import read

BAD = Path(__file__).parent / "bad"
CASES = sorted(file.name for file in BAD.iterdir() if file.suffix in (".yaml", ".j2"))


def settings_of(file: Path) -> dict[str, str]:
    """A case's own `# --set KEY=VALUE` lines."""
    lines = file.read_bytes().decode("utf-8", "replace").splitlines()
    given = [line.removeprefix("# --set ").partition("=") for line in lines if line.startswith("# --set ")]
    return {key: value for key, _, value in given}


def rejected(file: Path, settings: dict[str, str] | None = None) -> str:
    with pytest.raises(FileRejected) as caught:
        read(file, settings or {})
    assert caught.value.status == USAGE
    return str(caught.value) + "\n"


@pytest.mark.parametrize("name", CASES)
def test_the_text_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    found = rejected(Path(name), settings_of(Path(name)))
    expected = BAD / f"{name.partition('.')[0]}.expected"
    if os.environ.get("SWARMLAB_GOLDEN") == "write":
        expected.write_text(found, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8")


def test_every_expected_text_belongs_to_a_case() -> None:
    names = {name.partition(".")[0] for name in CASES}
    assert len(names) == len(CASES)
    assert {file.stem for file in BAD.glob("*.expected")} == names


def test_a_missing_file() -> None:
    assert rejected(Path("nowhere.yaml")) == "nowhere.yaml: no such file\n"


def test_a_directory(tmp_path: Path) -> None:
    assert rejected(tmp_path) == f"{tmp_path}: not a regular file\n"


def test_a_device_is_not_read() -> None:
    assert rejected(Path("/dev/zero")) == "/dev/zero: not a regular file\n"


def test_a_file_of_20_mb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Path("big.yaml").open("wb") as stream:
        stream.truncate(20_000_000)
    opened: list[object] = []
    monkeypatch.setattr(Path, "open", lambda *_args, **_more: opened.append(_args))
    assert rejected(Path("big.yaml")) == "big.yaml: 20000000 bytes is too large for a scenario; the limit is 1048576\n"
    assert not opened, "the file was opened although its size alone rules it out"
