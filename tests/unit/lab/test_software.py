"""`--kernel`: which provider it means, what it cannot be asked of, and what each host is to run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from swarmlab import providers
from swarmlab.errors import UsageError
from swarmlab.lab import home, state
from swarmlab.lab.options import UpOptions
from swarmlab.lab.software import by_whom, provider_of, runs
from swarmlab.lab.state import LabState
from swarmlab.lab.up import grown, intend
from swarmlab.providers import Kernel

HOSTS = ["host1", "host2"]
EXISTING = LabState("shop", "shop", "docker", "compose.yaml", 3, 1)


@pytest.mark.parametrize(
    ("options", "known", "provider", "why"),
    [
        (
            UpOptions("shop", kernel="6.1"),
            None,
            "qemu",
            "--kernel wants hosts with a kernel of their own; docker: containers share this machine's kernel",
        ),
        (UpOptions("shop", kernel="6.1", provider="qemu"), None, "qemu", "chosen by name"),
        (UpOptions("shop"), EXISTING, "auto", "the lab's own"),
    ],
)
def test_a_kernel_means_a_provider(options: UpOptions, known: LabState | None, provider: str, why: str) -> None:
    assert (provider_of(options), by_whom(known, options)) == (provider, why)


def test_what_each_host_runs() -> None:
    assert runs("docker", "host2=28.5", "", HOSTS) == {"host1": {"engine": "20.10"}, "host2": {"engine": "28.5"}}
    assert runs("qemu", "host2=28.5", "host1=6.1", HOSTS) == {
        "host1": {"engine": "26.1", "kernel": "6.1"},
        "host2": {"engine": "28.5", "kernel": "7.2"},
    }


@pytest.mark.parametrize(
    ("provider", "kernel", "why"),
    [
        ("docker", Kernel.SHARED, "containers share this machine's kernel"),
        ("inventory", Kernel.KEPT, "hosts that exist already keep the kernel that they run"),
        ("vagrant", Kernel.OWN, "its hosts bring a kernel of their own"),
    ],
)
def test_who_has_no_kernels_to_choose_from_says_why_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, provider: str, kernel: Kernel, why: str
) -> None:
    known = {**providers.PROVIDERS, provider: replace(providers.PROVIDERS["docker"], kernel=kernel)}
    monkeypatch.setattr(providers, "PROVIDERS", known)
    with pytest.raises(UsageError) as caught:
        runs(provider, "", "host1=6.1", HOSTS)
    assert str(caught.value) == (
        f"--kernel host1=6.1 and provider {provider} do not go together: {why}\n"
        "  fix: --provider qemu, or leave --kernel out"
    )


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SWARMLAB_HOME", str(tmp_path / "home"))
    file = tmp_path / "shop.yaml"
    file.write_text("services:\n  one: {image: busybox, networks: [net]}\nnetworks:\n  net: {driver: overlay}\n")
    return str(file)


def test_it_is_checked_before_anything_is_touched(shop: str) -> None:
    assert grown(intend(UpOptions(shop, kernel="host1=6.1")), None).options.provider == "qemu"
    with pytest.raises(UsageError, match="do not go together"):
        intend(UpOptions(shop, kernel="host1=6.1", provider="docker"))
    with pytest.raises(UsageError, match="--kernel names host9, but the hosts are host1"):
        intend(UpOptions(shop, kernel="host9=6.1"))


def test_the_state_remembers_it_and_older_states_have_none(shop: str) -> None:
    home.private_directory(home.lab_directory("shop"))
    state.save(LabState("shop", "shop", "qemu", shop, 2, 1, kernel="host1=6.1"))
    kept = state.load("shop")
    assert kept is not None and kept.kernel == "host1=6.1"
    file = home.lab_directory("shop") / "lab.json"
    file.write_text(file.read_text().replace('"kernel": "host1=6.1",', ""))
    old = state.load("shop")
    assert old is not None and old.kernel == ""
