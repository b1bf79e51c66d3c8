"""A provider whose hosts have names of their own is chosen, planned, remembered and entered like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from swarmlab import providers
from swarmlab.errors import ProviderError, RunFailed, UsageError
from swarmlab.events import Bus
from swarmlab.lab import access, home, state
from swarmlab.lab.choose import choose
from swarmlab.lab.down import down
from swarmlab.lab.matrix import planned_runs
from swarmlab.lab.options import UpOptions
from swarmlab.lab.plan import plan
from swarmlab.lab.state import LabState
from swarmlab.lab.status import status
from swarmlab.lab.up import grown, intend, up
from swarmlab.model.host import Host, SshEndpoint
from swarmlab.providers import Asking, Availability, HostsWanted, Kernel, Problem, Row
from swarmlab.providers.base import Greeting
from swarmlab.providers.images.recipe import engines
from swarmlab.scenario.needs import Need

NAMES = ("alpha", "beta-2", "gamma")
FILE = """\
services:
  one: {image: busybox, networks: [net]}
networks:
  net: {driver: overlay}
x-swarmlab:
  hosts: 2
  local_networks:
    private: {driver: bridge}
  containers:
    near: {host: host2, networks: [private]}
"""


class Given:
    """Hosts that exist already. None of them is ever reached here: `create` fails, as a cable that is pulled out."""

    name = "given"
    most = len(NAMES)

    def __init__(self) -> None:
        self.wanted: list[HostsWanted] = []
        self.destroyed: list[str] = []

    def host_names(self, count: int) -> tuple[str, ...]:
        return NAMES[:count]

    def software(self, engine: str, kernel: str, hosts: Sequence[str]) -> dict[str, dict[str, str]]:
        return {host: {"engine": version} for host, version in engines(engine, hosts).items()}

    def fitness(self) -> list[Problem]:
        return []

    def features(self, asking: Asking | None) -> Mapping[str, Availability]:
        return {}

    def prepare(self, wanted: HostsWanted, bus: Bus) -> None:
        self.wanted.append(wanted)

    def create(self, wanted: HostsWanted, bus: Bus, greet: Greeting) -> list[Host]:
        raise ProviderError("beta-2 is not there")

    def destroy(self, lab: str, home: str) -> list[str]:
        self.destroyed.append(lab)
        return []

    def found(self, home: str) -> dict[str, list[str]]:
        return {}


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Given:
    """Registered beside the others."""
    monkeypatch.setenv("SWARMLAB_HOME", str(tmp_path / "home"))
    made = Given()
    rows = {**providers.PROVIDERS, "given": Row(lambda: made, Kernel.KEPT, cost=None)}
    monkeypatch.setattr(providers, "PROVIDERS", rows)
    return made


@pytest.fixture
def options(given: Given, tmp_path: Path) -> UpOptions:
    (tmp_path / "shop.yaml").write_text(FILE)
    return UpOptions(str(tmp_path / "shop.yaml"), provider=given.name)


def remembered(options: UpOptions) -> LabState:
    """The lab's state, with two hosts, on disk."""
    keys = home.lab_directory("shop") / "ssh"
    hosts = tuple(
        Host(name, f"192.0.2.{number}", SshEndpoint("127.0.0.1", 1, "root", keys / "id", keys / "known_hosts"))
        for number, name in enumerate(NAMES[:2], 1)
    )
    kept = LabState("shop", "shop", "given", options.scenario, 2, 1, built=True, hosts=hosts)
    state.save(kept)
    return kept


def test_who_names_it_gets_it_and_auto_passes_it_over(given: Given) -> None:
    assert choose("given", [Need("esp", ("network back",))], 3) == (
        given,
        "chosen by name; not known yet whether its kernel has ESP, which network back needs",
    )
    assert "given" not in providers.automatic()
    owned = {name: providers.row(name).owned for name in ("docker", "qemu", "given")}
    assert owned == {"docker": True, "qemu": True, "given": False}, "a host is never taken out of another Swarm"
    with pytest.raises(ProviderError, match="given: it can make 3 hosts, and 4 are wanted"):
        choose("given", [], 4)


def test_what_a_file_calls_host2_is_the_second_host(monkeypatch: pytest.MonkeyPatch, options: UpOptions) -> None:
    monkeypatch.setattr(providers, "PROVIDERS", {"given": providers.row("given")})  # no engine is asked here
    found = plan(options)
    assert (found.provider, found.problems, found.missing_features) == ("given", [], [])
    assert found.why == "chosen by name; not known yet whether its kernel has IPVS, which service one needs"
    assert "create bridge network private on each of alpha, beta-2" in found.steps
    assert "run container near on beta-2" in found.steps
    assert [(one.provider, one.most) for one in found.capabilities] == [("given", 3)]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (
            {"engine": "host1=28.5"},
            "--engine names host1, but the hosts are alpha, beta-2",
        ),
        (
            {"engine": "20.10,28.5"},
            "--engine `20.10,28.5` names 2 engines for the same hosts\n  fix: write alpha=20.10,beta-2=28.5",
        ),
        (
            {"kernel": "alpha=6.1"},
            "--kernel alpha=6.1 and provider given do not go together: hosts that exist already keep the kernel that "
            "they run\n  fix: --provider qemu, or leave --kernel out",
        ),
        (
            {"hosts": 1},
            "the scenario pins something to host2, and there are 1 hosts\n  fix: --hosts 2",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_the_hosts_own_names(
    options: UpOptions, more: Mapping[str, object], text: str
) -> None:
    with pytest.raises(UsageError) as caught:
        intend(UpOptions(**{**vars(options), **more}))
    assert str(caught.value) == text


def test_engines_are_mixed_host_by_host(options: UpOptions) -> None:
    made = planned_runs(options, ["20.10", "28.5"], mixed=True, keep=False)
    assert made[-1].options.engine == "alpha=20.10,beta-2=28.5"


def test_up_asks_for_hosts_by_their_names_and_leaves_nothing_when_it_fails(given: Given, options: UpOptions) -> None:
    with pytest.raises(RunFailed, match="beta-2 is not there"):
        up(options, Bus())
    assert [wanted.machines for wanted in given.wanted] == [["alpha", "beta-2"]]
    assert (given.destroyed, state.load("shop")) == (["shop"], None)


def test_up_again_needs_no_provider_and_keeps_the_names(options: UpOptions) -> None:
    kept = remembered(options)
    found = grown(intend(UpOptions(options.scenario)), kept)
    assert (found.options.provider, found.scenario.hosts) == ("given", 2)
    assert found.scenario.containers["near"].host == "beta-2"
    more = grown(intend(UpOptions(options.scenario, hosts=3)), kept)
    assert more.scenario.local_networks["private"].hosts == ("alpha", "beta-2")
    with pytest.raises(UsageError, match=r"beta-2 of lab 'shop' runs engine 20\.10, and 28\.5 is asked for"):
        grown(intend(UpOptions(options.scenario, provider="given", engine="beta-2=28.5")), kept)


def test_its_state_is_read_again(given: Given, options: UpOptions) -> None:
    kept = remembered(options)
    assert state.load("shop") == kept
    assert kept.read_scenario().containers["near"].host == "beta-2"
    (found,) = status("shop")
    assert [(host.name, host.state) for host in found.hosts] == [("alpha", "missing"), ("beta-2", "missing")]
    assert access.ssh_argv("shop", "beta-2", ["true"])[-3:] == ["root@127.0.0.1", "--", "true"]
    with pytest.raises(UsageError, match="lab 'shop' has no host 'host1'; hosts: alpha, beta-2"):
        access.ssh_argv("shop", "host1", ["true"])
    assert down("shop", Bus()) == ["state of lab shop"]
    assert given.destroyed == ["shop"]
