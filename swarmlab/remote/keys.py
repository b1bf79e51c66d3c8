"""Key pairs, made here and now: no ssh-keygen is needed, and none but this program ever held them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


@dataclass(frozen=True)
class KeyTexts:
    """An ed25519 pair as OpenSSH writes it: the private file's text, and `ssh-ed25519 AAAA…` without a comment."""

    private: str
    public: str

    def __repr__(self) -> str:  # so that no log or traceback ever shows the private half
        return f"KeyTexts(public={self.public!r})"


def make_host_key() -> KeyTexts:
    """A new pair that is on no disk yet."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return KeyTexts(private, key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())


def make_keypair(directory: Path, name: str) -> tuple[Path, str]:
    """A new pair in `directory`: the private file `name` (0600) beside `name.pub`; returns its path and the public
    text.
    """
    texts = make_host_key()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    private = directory / name
    write_private(private, texts.private)
    write_private(directory / f"{name}.pub", texts.public + "\n")
    return private, texts.public


def write_private(path: Path, text: str) -> None:
    """Write whole or not at all, readable by the owner only from the first byte on."""
    half = path.with_name(f".{path.name}.{os.getpid()}.half")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as file:
        file.write(text)
    half.replace(path)
