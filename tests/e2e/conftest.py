"""Labs for the tests that use the command line on real hosts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.driver import ROOT, User


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
def leaky_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """three-tier with an attachable back network, so that `docker network connect` can leak it."""
    text = (ROOT / "scenarios/three-tier/compose.yaml").read_text()
    changed = text.replace(
        "    internal: true\n\n", "    internal: true\n    attachable: true\n    ipam: {config: [{subnet: 10.77.0.0/24}]}\n\n"
    )
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
