"""What an engine's kernel has is asked once for a boot; what it lacks, each time anew."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from swarmlab.errors import ProviderError
from swarmlab.probes.session.bundle import agent_archive
from swarmlab.providers import Asking
from swarmlab.providers.docker import features
from swarmlab.providers.docker.features import engines_kernel
from swarmlab.providers.docker.kernel import ASK, QUESTIONS, Probed, _read, pack


class FakeKernel:
    """Says what it lacks, and counts how often it was asked."""

    def __init__(self) -> None:
        self.key, self.missing_features, self.asked = "engine 6.1 boot-1", frozenset[str](), 0

    def identity(self, client: object) -> str:
        return self.key

    def probe(self, client: object, agent: bytes) -> Probed:
        self.asked += 1
        return Probed(self.missing_features)


@pytest.fixture
def asking(tmp_path: Path) -> Asking:
    return Asking(lambda: b"the agent", lambda: tmp_path)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKernel]:
    fake = FakeKernel()
    monkeypatch.setattr(features, "kernel", fake)
    monkeypatch.setattr(features, "engine", lambda: SimpleNamespace(close=lambda: None))
    engines_kernel.cache_clear()
    yield fake
    engines_kernel.cache_clear()


def another_process(asking: Asking) -> Probed:
    engines_kernel.cache_clear()
    return engines_kernel(asking)


def test_a_whole_kernel_is_asked_once_for_a_boot(kernel: FakeKernel, asking: Asking) -> None:
    assert engines_kernel(asking) == another_process(asking) == Probed(frozenset())
    assert kernel.asked == 1
    kernel.key = "engine 6.1 boot-2"
    another_process(asking)
    assert kernel.asked == 2


def test_one_that_lacks_something_is_asked_again_since_a_module_may_have_come(
    kernel: FakeKernel, asking: Asking
) -> None:
    kernel.missing_features = frozenset({"ip_vs"})
    assert engines_kernel(asking) == engines_kernel(asking) == Probed(frozenset({"ip_vs"}))
    assert kernel.asked == 1, "once in a process"
    kernel.missing_features = frozenset()
    assert another_process(asking) == Probed(frozenset())


@pytest.mark.parametrize("text", ["", "{", "7", '{"engine 6.1 boot-1": 1}'])
def test_a_damaged_note_is_no_answer(kernel: FakeKernel, asking: Asking, text: str) -> None:
    (asking.notes() / features.NOTE).write_text(text)
    kernel.missing_features = frozenset({"esp"})
    assert engines_kernel(asking) == Probed(frozenset({"esp"}))


def test_no_engine_is_not_known(kernel: FakeKernel, asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(client: object) -> str:
        raise ProviderError("the engine did not answer")

    monkeypatch.setattr(kernel, "identity", gone)
    assert engines_kernel(asking) == Probed(None, "the engine did not answer")


def test_container_hosts_have_what_the_engines_kernel_has(kernel: FakeKernel, asking: Asking) -> None:
    kernel.missing_features = frozenset({"esp"})
    found = features.features(asking)
    assert {feature: known.has for feature, known in found.items()} == {"esp": False, "ip_vs": True}


def test_what_could_not_be_asked_is_not_known(
    kernel: FakeKernel, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "probe", lambda client, agent: Probed(None, "known once a node image is built"))
    assert {(known.has, known.why) for known in features.features(asking).values()} == {
        (None, "known once a node image is built")
    }


def test_a_kernel_on_which_nothing_depends_is_not_asked(kernel: FakeKernel) -> None:
    assert {(known.has, known.why) for known in features.features(None).values()} == {(None, "not asked")}
    assert kernel.asked == 0


def test_the_agent_knows_the_question() -> None:
    """In a child that sees the archive only, not this source. The kernel itself is not asked here."""
    said = "print(missing_features.__code__.co_filename, missing_features.__code__.co_argcount)"
    program = [sys.executable, "-I", "-S", "-B", "-c", QUESTIONS + said, pack(agent_archive())]
    ran = subprocess.run(program, capture_output=True, text=True, timeout=20, check=False)
    file, arguments = ran.stdout.split() or pytest.fail(ran.stderr)
    assert file.startswith("/proc/self/fd/") and arguments == "0"
    assert QUESTIONS in ASK and "print(json.dumps(missing_features()))" in ASK


@pytest.mark.parametrize(
    ("said", "complaint", "expected"),
    [
        ('["esp"]\n', "", Probed(frozenset({"esp"}))),
        ("[]\n", "", Probed(frozenset())),
        (
            "",
            "Traceback\nnetworks cannot be configured there\n",
            Probed(None, "its kernel could not be asked: networks cannot be configured there"),
        ),
        ("", "", Probed(None, "its kernel could not be asked: it said nothing")),
        ("7", "", Probed(None, "its kernel could not be asked: 7")),
    ],
)
def test_only_an_answer_is_an_answer(said: str, complaint: str, expected: Probed) -> None:
    assert _read(said, complaint) == expected
