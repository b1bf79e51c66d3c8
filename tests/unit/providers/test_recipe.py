"""The node image as data: its hash changes when what goes in does, and engines are named or refused."""

from __future__ import annotations

import io
import json
import re
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from swarmlab.errors import UsageError
from swarmlab.providers.docker import image
from swarmlab.providers.images import mmdebstrap, recipe
from swarmlab.providers.images.recipe import RECIPES, engines


def test_the_hash_is_stable_and_names_the_image() -> None:
    bookworm = RECIPES["20.10"]
    assert bookworm.hash == bookworm.hash
    assert re.fullmatch(r"swarmlab/node:bookworm-[0-9a-f]{12}", bookworm.tag)


def test_a_package_more_is_another_image() -> None:
    bookworm = RECIPES["20.10"]
    assert replace(bookworm, packages=(*bookworm.packages, "tcpdump")).hash != bookworm.hash


def test_a_changed_file_is_another_image(monkeypatch: pytest.MonkeyPatch) -> None:
    before = RECIPES["20.10"].hash
    changed = {**recipe.file_contents(), "daemon.json": b"{}"}
    monkeypatch.setattr(recipe, "file_contents", lambda: changed)
    assert RECIPES["20.10"].hash != before


def test_engines_have_images_of_their_own() -> None:
    assert len({one.tag for one in RECIPES.values()}) == len(RECIPES)


def test_a_mixed_lab() -> None:
    hosts = ["host1", "host2", "host3"]
    assert engines("26.1,host3=28.5", hosts) == {"host1": "26.1", "host2": "26.1", "host3": "28.5"}
    assert set(engines("", hosts).values()) == {"20.10"}


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("19.03", "there is no engine `19.03`\n  fix: use one of 20.10, 26.1, 28.5"),
        ("host9=28.5", "--engine names host9, but the hosts are host1"),
        ("20.10,26.1", "--engine `20.10,26.1` names 2 engines for the same hosts\n  fix: write host1=20.10,host2=28.5"),
        (
            "host1=20.10,host1=28.5",
            "--engine `host1=20.10,host1=28.5` names one host twice\n"
            "  fix: give each host one engine: host1=20.10,host2=28.5",
        ),
        ("host1=", "there is no engine ``\n  fix: use one of 20.10, 26.1, 28.5"),
    ],
)
def test_an_engine_that_cannot_be_is_refused(wanted: str, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        engines(wanted, ["host1"])
    assert str(caught.value) == text


def test_what_goes_in_can_be_run_and_is_the_same_each_time() -> None:
    with tarfile.open(fileobj=io.BytesIO(recipe.overlay_tar())) as tar:
        modes = {entry.name: entry.mode for entry in tar}
    assert modes["usr/local/sbin/swarmlab-boot"] == 0o755
    assert recipe.ENTRYPOINT[-1].lstrip("/") in modes
    assert recipe.overlay_tar() == recipe.overlay_tar()


def test_inner_networks_collide_with_neither_the_underlay_nor_swarms_own() -> None:
    from ipaddress import IPv4Interface, IPv4Network

    from swarmlab.providers.underlay import POOLS

    daemon = json.loads(recipe.file_contents()["daemon.json"])
    bridge = IPv4Interface(daemon["bip"]).network
    pools = [IPv4Network(pool["base"]) for pool in daemon["default-address-pools"]]
    for inner in [bridge, *pools]:
        assert not any(
            inner.overlaps(outer) for outer in (*POOLS, IPv4Network("10.0.0.0/8"), IPv4Network("172.17.0.0/16"))
        )
    assert not any(bridge.overlaps(pool) for pool in pools)


def test_passwords_never_open_a_host() -> None:
    lines = recipe.file_contents()["sshd_config"].decode().splitlines()
    assert {"PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin prohibit-password"} <= set(
        lines
    )


def test_an_expired_archive_is_accepted_only_when_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    sid, files, root = RECIPES["28.5"], Path("/lab/a b/files.tar"), Path("/lab/root.tar")
    monkeypatch.delenv(mmdebstrap.EXPIRED_VARIABLE, raising=False)
    assert not any("Valid-Until" in word for word in image.command(sid, files, root))
    assert "Valid-Until" not in image.dockerfile(sid)
    monkeypatch.setenv(mmdebstrap.EXPIRED_VARIABLE, "1")
    assert any("Valid-Until" in word for word in image.command(sid, files, root))
    assert "Valid-Until" in image.dockerfile(sid)


def test_a_directory_with_a_blank_does_not_split_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    words = image.command(RECIPES["20.10"], Path("/lab/a b/files.tar"), Path("/lab/a b/root.tar"))
    assert "--customize-hook=tar-in '/lab/a b/files.tar' /" in words
    assert words[-2:] == ["bookworm", "/lab/a b/root.tar"]
