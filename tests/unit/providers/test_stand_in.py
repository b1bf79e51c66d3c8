"""The stand-in image: what `docker load` takes, from a static busybox only, the same bytes each time."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile
from pathlib import Path

import pytest

from swarmlab.errors import ProviderError
from swarmlab.providers.images.stand_in import NAME, find_busybox, is_static, stand_in_archive


def _elf(segment: int, machine: int = 62) -> bytes:
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header = ident + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    return header + struct.pack("<I", segment).ljust(56, b"\0")


def _open(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {entry.name: file.read() for entry in tar if (file := tar.extractfile(entry))}


def test_a_binary_that_needs_a_loader_is_refused() -> None:
    assert is_static(_elf(1))
    assert not is_static(_elf(3))


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", b"\x7fELF", _elf(1)[:70]])
def test_what_is_no_whole_binary_is_refused(data: bytes) -> None:
    assert not is_static(data)


def test_names_and_digests_fit_together() -> None:
    files = _open(stand_in_archive(_elf(1)))
    (image,) = json.loads(files["manifest.json"])
    assert image["RepoTags"] == [NAME]
    layer, config = files[image["Layers"][0]], files[image["Config"]]
    assert image["Config"] == hashlib.sha256(config).hexdigest() + ".json"
    assert json.loads(config)["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(layer).hexdigest()]


def test_the_architecture_is_the_binarys() -> None:
    files = _open(stand_in_archive(_elf(1, machine=183)))
    assert json.loads(files[json.loads(files["manifest.json"])[0]["Config"]])["architecture"] == "arm64"


def test_the_same_busybox_makes_the_same_image() -> None:
    assert stand_in_archive(_elf(1)) == stand_in_archive(_elf(1))


def test_what_runs_by_default_is_inside() -> None:
    files = _open(stand_in_archive(_elf(1)))
    image = json.loads(files["manifest.json"])[0]
    command = json.loads(files[image["Config"]])["config"]["Cmd"]
    with tarfile.open(fileobj=io.BytesIO(files[image["Layers"][0]])) as layer:
        names = {entry.name: entry for entry in layer}
    assert names[command[0].lstrip("/")].mode & 0o111
    assert {"bin/sh", "bin/nc", "bin/httpd", "bin/sleep", "www/index.html"} <= set(names)


def test_the_last_resort_is_asked_only_where_this_machine_has_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_busybox(lambda: _elf(1)) == _elf(1)
    ours = tmp_path / "busybox"
    ours.write_bytes(_elf(1, machine=183))
    ours.chmod(0o755)
    assert find_busybox(lambda: pytest.fail("asked")) == _elf(1, machine=183)


@pytest.mark.parametrize("found", [None, _elf(3)])
def test_no_static_busybox_anywhere_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, found: bytes | None
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProviderError) as caught:
        find_busybox(lambda: found)
    assert str(caught.value) == (
        "the stand-in image needs a static busybox, and there is none here\n  fix: apt install busybox-static"
    )
