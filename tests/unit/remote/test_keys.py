"""Key pairs: readable by OpenSSH's own reader, private from the first byte, never shown."""

from __future__ import annotations

import stat
from pathlib import Path

import paramiko
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

from swarmlab.remote import make_host_key, make_keypair
from swarmlab.remote.keys import write_private


def test_the_halves_belong_together() -> None:
    key = make_host_key()
    private = load_ssh_private_key(key.private.encode(), None)
    assert private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() == key.public


def test_no_two_are_alike() -> None:
    assert make_host_key().public != make_host_key().public


def test_a_pair_on_disk_is_for_its_owner_only(tmp_path: Path) -> None:
    private, public = make_keypair(tmp_path / "keys", "id")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(private.parent.stat().st_mode) == 0o700
    assert (private.parent / "id.pub").read_text() == public + "\n"
    assert paramiko.Ed25519Key.from_private_key_file(str(private)).get_base64() == public.split()[1]


def test_the_private_half_is_never_shown() -> None:
    key = make_host_key()
    assert "PRIVATE" not in repr(key)
    assert key.private not in f"{key}"


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "known_hosts"
    write_private(target, "first")
    write_private(target, "second")
    assert [path.name for path in tmp_path.iterdir()] == ["known_hosts"]
    assert target.read_text() == "second"
