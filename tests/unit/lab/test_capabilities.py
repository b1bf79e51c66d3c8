"""Offers: what is known of a kernel, what is not, and nothing in between."""

from __future__ import annotations

import pytest

from swarmlab.providers.base import Problem
from swarmlab.providers.kernel import Probed, _read, offer


def never() -> Probed:
    raise AssertionError("this provider's hosts do not share a kernel that is there to be asked")


def test_container_hosts_have_what_the_engines_kernel_has() -> None:
    found = offer("docker", [], lambda: Probed(frozenset({"esp"})))
    assert {feature: answer.has for feature, answer in found.features.items()} == {"esp": False, "ip_vs": True}
    assert found.most == 200


def test_what_could_not_be_asked_is_not_known() -> None:
    found = offer("docker", [], lambda: Probed(None, "known once a node image is built"))
    assert {(answer.has, answer.why) for answer in found.features.values()} == {
        (None, "known once a node image is built")
    }


def test_virtual_machines_bring_their_own_and_others_are_not_known() -> None:
    assert {answer.has for answer in offer("qemu", [], never).features.values()} == {True}
    assert {answer.has for answer in offer("vagrant", [], never).features.values()} == {None}


@pytest.mark.parametrize("name", ["docker", "qemu"])
def test_a_provider_that_cannot_work_offers_nothing(name: str) -> None:
    found = offer(name, [Problem("no engine", "start it")], never)
    assert (found.most, found.features) == (0, {})


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
