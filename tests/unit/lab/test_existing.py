"""`up` of a lab that exists: what is not said stays, what cannot change is refused with what to do."""

from __future__ import annotations

import pytest

from swarmlab.errors import UsageError
from swarmlab.lab.existing import as_it_is
from swarmlab.lab.options import UpOptions
from swarmlab.lab.state import LabState

KNOWN = LabState("shop", "three-tier", "docker", "compose.yaml", 3, 1, engine="host2=28.5")

MACHINES = LabState("mix", "three-tier", "qemu", "compose.yaml", 3, 1, kernel="host1=6.1")


def test_what_is_not_said_stays_as_it_is() -> None:
    options = as_it_is(KNOWN, UpOptions("three-tier"), 3)
    assert (options.provider, options.engine) == ("docker", "host2=28.5")


def test_the_same_said_in_other_words_is_no_change() -> None:
    same = "host1=20.10,host2=28.5,host3=20.10"
    assert as_it_is(KNOWN, UpOptions("three-tier", engine=same, provider="docker"), 3).engine == same


def test_a_host_that_is_new_takes_what_is_asked_for() -> None:
    assert as_it_is(KNOWN, UpOptions("three-tier", engine="host2=28.5,host4=26.1"), 4).engine == "host2=28.5,host4=26.1"


def test_kernels_stay_too_and_the_engines_own_is_no_change() -> None:
    assert as_it_is(MACHINES, UpOptions("three-tier"), 3).kernel == "host1=6.1"
    same = UpOptions("three-tier", kernel="host1=6.1,6.12", engine="26.1")
    assert as_it_is(MACHINES, same, 3).kernel == same.kernel, (
        "26.1 is what machines run by default, and 6.12 comes with it"
    )
    more = UpOptions("three-tier", kernel="host1=6.1,host4=7.2")
    assert as_it_is(MACHINES, more, 4).kernel == more.kernel


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            UpOptions("three-tier", kernel="6.1"),
            "host2 of lab 'mix' runs kernel 6.12, and 6.1 is asked for; the lab stays as it is\n"
            "  fix: leave --kernel out to keep it, choose another --name, or `swarmlab down mix` first",
        ),
        (
            UpOptions("three-tier", engine="20.10"),
            "host1 of lab 'mix' runs engine 26.1, and 20.10 is asked for; the lab stays as it is\n"
            "  fix: leave --engine out to keep it, choose another --name, or `swarmlab down mix` first",
        ),
    ],
)
def test_a_machine_keeps_what_it_runs(options: UpOptions, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        as_it_is(MACHINES, options, 3)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("options", "hosts", "text"),
    [
        (
            UpOptions("three-tier", engine="20.10"),
            3,
            "host2 of lab 'shop' runs engine 28.5, and 20.10 is asked for; the lab stays as it is\n"
            "  fix: leave --engine out to keep it, choose another --name, or `swarmlab down shop` first",
        ),
        (
            UpOptions("three-tier", provider="qemu"),
            3,
            "lab 'shop' is made by provider docker, and qemu is asked for\n"
            "  fix: leave --provider out to complete it, choose another --name, or `swarmlab down shop` first",
        ),
        (
            UpOptions("three-tier", kernel="6.1"),
            3,
            "lab 'shop' is made by provider docker, and --kernel is asked for: containers share this machine's kernel\n"
            "  fix: leave --kernel out to complete it, or choose another --name with --provider qemu",
        ),
        (
            UpOptions("three-tier"),
            2,
            "lab 'shop' has 3 hosts, and 2 are asked for: none is taken away from a lab\n"
            "  fix: --hosts 3, or `swarmlab down shop` first",
        ),
    ],
)
def test_what_cannot_be_changed_in_place_is_refused(options: UpOptions, hosts: int, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        as_it_is(KNOWN, options, hosts)
    assert str(caught.value) == text
