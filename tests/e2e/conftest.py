"""Labs for the tests that use the command line on real hosts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.driver import User, plain_three_tier, processes


@dataclass(frozen=True)
class Lab:
    """A running lab and the user whose it is."""

    user: User
    name: str

    def on(self, host: str, *command: str) -> str:
        return self.user.on(self.name, host, *command)


@pytest.fixture(scope="session")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """Removes every lab of theirs at the end, whatever the tests did."""
    somebody = User(tmp_path_factory.mktemp("home"))
    yield somebody
    ended = somebody.run("down", "--all")
    assert ended.status == 0, ended


@pytest.fixture(scope="session")
def plain_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """three-tier in clear."""
    file = tmp_path_factory.mktemp("plain") / "compose.yaml"
    file.write_text(plain_three_tier())
    return file


@pytest.fixture(scope="session")
def leaky_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """three-tier with an attachable back network, so that `docker network connect` can leak it."""
    text = plain_three_tier()
    more = "    attachable: true\n    ipam: {config: [{subnet: 10.77.0.0/24}]}\n"
    changed = text.replace("    internal: true\n\n", f"    internal: true\n{more}\n")
    assert changed != text
    file = tmp_path_factory.mktemp("leaky") / "compose.yaml"
    file.write_text(changed)
    return file


@pytest.fixture(scope="session")
def lab(user: User, leaky_file: Path) -> Lab:
    """A proven three-tier lab that tests break and mend."""
    ended = user.run("up", str(leaky_file), "--name", "e2e")
    assert ended.status == 0, ended
    return Lab(user, "e2e")


@pytest.fixture(scope="session")
def machines(user: User, machine_images: Path) -> User:
    """The same user, where machines can be made."""
    (user.home / "images").symlink_to(machine_images)
    return user


@pytest.fixture(scope="session")
def encrypted_lab(machines: User) -> Iterator[Lab]:
    """three-tier on machines, proven: its back network is encrypted. Tests break and mend it."""
    name = "vm-e2e"
    ended = machines.run("up", "three-tier", "--provider", "qemu", "--name", name, timeout=1200)
    assert ended.status == 0, ended
    yield Lab(machines, name)
    assert machines.run("down", name).status == 0
    assert not processes(name)
