"""What an engine's kernel has is asked once for a boot; what it lacks, each time anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from swarmlab.errors import ProviderError
from swarmlab.lab import home, offers
from swarmlab.lab.offers import engines_kernel
from swarmlab.providers.kernel import Probed


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
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKernel]:
    monkeypatch.setenv("SWARMLAB_HOME", str(tmp_path / "home"))
    fake = FakeKernel()
    monkeypatch.setattr(offers, "kernel", fake)
    monkeypatch.setattr(offers, "engine", lambda: SimpleNamespace(close=lambda: None))
    engines_kernel.cache_clear()
    yield fake
    engines_kernel.cache_clear()


def another_process() -> Probed:
    engines_kernel.cache_clear()
    return engines_kernel()


def test_a_whole_kernel_is_asked_once_for_a_boot(kernel: FakeKernel) -> None:
    assert engines_kernel() == another_process() == Probed(frozenset())
    assert kernel.asked == 1
    kernel.key = "engine 6.1 boot-2"
    another_process()
    assert kernel.asked == 2


def test_one_that_lacks_something_is_asked_again_since_a_module_may_have_come(kernel: FakeKernel) -> None:
    kernel.missing_features = frozenset({"ip_vs"})
    assert engines_kernel() == engines_kernel() == Probed(frozenset({"ip_vs"}))
    assert kernel.asked == 1, "once in a process"
    kernel.missing_features = frozenset()
    assert another_process() == Probed(frozenset())


@pytest.mark.parametrize("text", ["", "{", "7", '{"engine 6.1 boot-1": 1}'])
def test_a_damaged_note_is_no_answer(kernel: FakeKernel, text: str) -> None:
    home.write(home.home() / offers.ASKED, text)
    kernel.missing_features = frozenset({"esp"})
    assert engines_kernel() == Probed(frozenset({"esp"}))


def test_no_engine_is_not_known(kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(client: object) -> str:
        raise ProviderError("the engine did not answer")

    monkeypatch.setattr(kernel, "identity", gone)
    assert engines_kernel() == Probed(None, "the engine did not answer")
