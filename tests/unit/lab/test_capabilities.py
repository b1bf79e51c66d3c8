"""Capabilities: what is known of a provider's hosts, what is not, and nothing in between."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import pytest

from swarmlab import providers
from swarmlab.lab import capabilities as room
from swarmlab.lab.capabilities import all_capabilities, capabilities
from swarmlab.providers import PROVIDERS, Availability, Kernel, Problem, Row, get
from swarmlab.providers.base import Asking
from swarmlab.scenario.needs import Need


def provider(said: Mapping[str, Availability], *problems: Problem) -> SimpleNamespace:
    """Says this of its hosts, and remembers with what it was asked."""
    asked: list[Asking | None] = []

    def features(asking: Asking | None) -> Mapping[str, Availability]:
        asked.append(asking)
        return said

    return SimpleNamespace(name="static", most=2, fitness=lambda: list(problems), features=features, asked=asked)


def found(one: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, *, ask: bool = True) -> room.Capabilities:
    monkeypatch.setattr(providers, "PROVIDERS", {"static": Row(lambda: one, Kernel.KEPT, None)})
    return capabilities(get("static"), ask=ask)


def test_what_a_provider_does_not_speak_of_is_known_once_its_hosts_run(monkeypatch: pytest.MonkeyPatch) -> None:
    one = found(provider({"esp": Availability(False, "refused")}), monkeypatch)
    assert {feature: (known.has, known.why) for feature, known in one.features.items()} == {
        "esp": (False, "refused"),
        "ip_vs": (None, "known once its hosts run"),
    }
    needs = [Need("esp", ("network back",)), Need("ip_vs", ("service web",))]
    assert (one.missing(needs), one.unknown(needs)) == (needs[:1], needs[1:])
    assert [one.can_make(count) for count in (2, 3)] == [True, False]


def test_only_a_question_on_which_something_depends_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    one = provider({})
    found(one, monkeypatch, ask=False)
    found(one, monkeypatch)
    assert one.asked == [None, room.ASKING]


def test_virtual_machines_bring_their_own() -> None:
    assert {known.has for known in get("qemu").features(None).values()} == {True}
    assert get("qemu").most is None


def test_container_hosts_are_as_many_as_their_underlay_has_addresses_for() -> None:
    assert get("docker").most == 200


def test_a_provider_that_cannot_work_can_do_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    one = provider({}, Problem("no engine", "start it"))
    nothing = found(one, monkeypatch)
    assert (nothing.most, nothing.features, nothing.can_make(1), one.asked) == (0, {}, False, [])
    assert nothing.missing([Need("esp", ("network back",))]) == []
    assert all_capabilities() == [nothing]


def test_all_that_auto_may_take_call_their_hosts_the_same() -> None:
    assert len({get(name).host_names(3) for name in providers.automatic()}) == 1
    assert all(get(name).host_names(2) == get(name).host_names(3)[:2] for name in PROVIDERS)
