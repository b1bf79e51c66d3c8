"""The right provider by itself, with providers that are only said to be there: the cheapest that can honour all, and
why, in one line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pytest

from swarmlab import providers
from swarmlab.errors import ProviderError
from swarmlab.events import Bus
from swarmlab.lab import choose as room
from swarmlab.lab.capabilities import Capabilities
from swarmlab.lab.choose import choose
from swarmlab.model.host import Host, numbered
from swarmlab.providers import Asking, Availability, HostsWanted, Kernel, Problem, Provider, Row
from swarmlab.providers.base import Greeting
from swarmlab.scenario.needs import Need

ESP, IPVS = Need("esp", ("network back",)), Need("ip_vs", ("service web",))
COSTS = {"docker": 1, "qemu": 2}


class FakeProvider:
    """Has a name."""

    most = None

    def __init__(self, name: str) -> None:
        self.name = name

    def host_names(self, count: int) -> tuple[str, ...]:
        return numbered(count)

    def software(self, engine: str, kernel: str, hosts: Sequence[str]) -> dict[str, dict[str, str]]:
        return {}

    def fitness(self) -> list[Problem]:
        raise AssertionError("only its capabilities are looked at")

    def features(self, asking: Asking | None) -> Mapping[str, Availability]:
        raise AssertionError("only its capabilities are looked at")

    def prepare(self, wanted: HostsWanted, bus: Bus) -> None: ...

    def create(self, wanted: HostsWanted, bus: Bus, greet: Greeting) -> list[Host]:
        return []

    def destroy(self, lab: str, home: str) -> list[str]:
        return []

    def found(self, home: str) -> dict[str, list[str]]:
        return {}


def has(name: str, esp: bool | None, ip_vs: bool | None, most: int | None = None) -> Capabilities:
    return Capabilities(name, most, {"esp": Availability(esp, ""), "ip_vs": Availability(ip_vs, "")})


def broken(name: str) -> Capabilities:
    return Capabilities(name, 0, problems=(Problem(f"no {name} here", "install it"),))


Put = Callable[..., list[str]]


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> Put:
    """Registers providers that can do this; returns the names of those whose kernel was asked."""

    def register(*several: Capabilities) -> list[str]:
        asked: list[str] = []
        known = {one.provider: one for one in several}

        def capabilities(provider: Provider, *, ask: bool = True) -> Capabilities:
            asked.extend([provider.name] if ask else [])
            return known[provider.name]

        rows = {name: Row(partial(FakeProvider, name), Kernel.OWN, COSTS[name]) for name in known}
        monkeypatch.setattr(providers, "PROVIDERS", rows)
        monkeypatch.setattr(room, "capabilities", capabilities)
        return asked

    return register


@pytest.mark.parametrize(
    ("several", "needs", "name", "why"),
    [
        ([has("qemu", True, True), has("docker", False, False)], [], "docker", "the cheapest that works here"),
        (
            [has("docker", True, True), has("qemu", True, True)],
            [ESP, IPVS],
            "docker",
            "the cheapest that has ESP and IPVS",
        ),
        (
            [has("docker", False, True), has("qemu", True, True)],
            [ESP],
            "qemu",
            "the cheapest that has ESP; docker: no ESP, which network back needs",
        ),
        ([has("docker", False, True), has("qemu", True, True)], [IPVS], "docker", "the cheapest that has IPVS"),
        (
            [broken("docker"), has("qemu", True, True)],
            [IPVS],
            "qemu",
            "the cheapest that has IPVS; docker: no docker here",
        ),
        (
            [has("docker", None, None), has("qemu", True, True)],
            [IPVS],
            "qemu",
            "the cheapest that has IPVS; docker: not known whether its kernel has it all",
        ),
        (
            [has("docker", False, False), broken("qemu")],
            [ESP, IPVS],
            "docker",
            "the cheapest that works here; its kernel has no ESP, which network back needs, "
            "and no IPVS, which service web needs: what depends on it will be inconclusive; qemu: no qemu here",
        ),
        (
            [has("docker", False, True), has("qemu", None, None)],
            [ESP],
            "qemu",
            "the cheapest that works here; not known yet whether its kernel has ESP, which network back needs; "
            "docker: no ESP, which network back needs",
        ),
        (
            [has("docker", False, True)],
            [ESP],
            "docker",
            "the cheapest that works here; its kernel has no ESP, which network back needs: "
            "what depends on it will be inconclusive",
        ),
        (
            [has("docker", True, True, most=1), has("qemu", True, True)],
            [],
            "qemu",
            "the cheapest that works here; docker: it can make 1 hosts, and 2 are wanted",
        ),
    ],
)
def test_the_cheapest_that_can_honour_it(
    put: Put, several: list[Capabilities], needs: list[Need], name: str, why: str
) -> None:
    put(*several)
    provider, said = choose("auto", needs, 2)
    assert (provider.name, said) == (name, why)


def test_who_is_forced_is_told_what_cannot_be_proven(put: Put) -> None:
    put(has("docker", False, True), has("qemu", True, True))
    assert choose("docker", [ESP], 2)[1] == (
        "chosen by name; its kernel has no ESP, which network back needs: what depends on it will be inconclusive"
    )
    assert choose("qemu", [ESP], 2)[1] == "chosen by name"
    assert choose("docker", [IPVS], 2, by="the lab's own")[1] == "the lab's own"


def test_a_kernel_on_which_nothing_depends_is_left_in_peace(put: Put) -> None:
    asked = put(has("docker", None, None), has("qemu", None, None))
    choose("auto", [], 2)
    assert asked == []
    choose("auto", [ESP], 2)
    assert asked == ["docker", "qemu"]


def test_nobody_can(put: Put) -> None:
    put(broken("docker"), has("qemu", True, True, most=2))
    with pytest.raises(ProviderError) as caught:
        choose("auto", [ESP], 3)
    assert str(caught.value) == (
        "no provider can make hosts here\ndocker: no docker here\n  fix: install it\n"
        "qemu: it can make 2 hosts, and 3 are wanted\n  fix: --hosts 2"
    )
    with pytest.raises(ProviderError, match="docker: no docker here"):
        choose("docker", [], 1)
