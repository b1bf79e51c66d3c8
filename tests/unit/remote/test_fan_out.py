"""Many at once: results keep their names, failures are all told, an interrupt does not wait."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from swarmlab.errors import HostError, HostsError
from swarmlab.remote import fan_out


def test_results_come_back_under_their_names_in_the_items_order() -> None:
    def slow_first(number: int) -> int:
        time.sleep(0.02 if number == 1 else 0)
        return number * 10

    assert list(fan_out({"a": 1, "b": 2, "c": 3}, slow_first).items()) == [("a", 10), ("b", 20), ("c", 30)]


def test_items_run_at_the_same_time() -> None:
    together = threading.Barrier(4, timeout=5)  # breaks, and fails the test, unless all four are inside at once
    assert len(fan_out(["a", "b", "c", "d"], lambda _: together.wait())) == 4


def test_no_more_than_the_workers_asked_for() -> None:
    inside, most, lock = [0], [0], threading.Lock()

    def count(_: str) -> None:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        time.sleep(0.01)
        with lock:
            inside[0] -= 1

    fan_out([str(number) for number in range(9)], count, workers=3)
    assert most[0] <= 3


def _fail(name: str) -> str:
    if name != "good":
        raise HostError(name, "is on fire", fix="water")
    return name


def test_one_failure_is_raised_as_it_is() -> None:
    with pytest.raises(HostError) as caught:
        fan_out(["good", "host2"], _fail)
    assert str(caught.value) == "host2: is on fire\n  fix: water"
    assert not isinstance(caught.value, HostsError)


def test_several_failures_are_all_told() -> None:
    with pytest.raises(HostsError) as caught:
        fan_out(["host1", "good", "host3"], _fail)
    assert list(caught.value.failures) == ["host1", "host3"]
    assert "host1: is on fire" in str(caught.value)
    assert "host3: is on fire" in str(caught.value)


def test_a_fault_of_ours_is_not_dressed_up_as_a_hosts() -> None:
    with pytest.raises(ZeroDivisionError):
        fan_out({"host1": 0}, lambda number: 1 // number)


def test_an_interrupt_ends_at_once_though_a_host_hangs() -> None:
    hang = threading.Event()

    def interrupted_or_hung(name: str) -> None:
        if name == "host2":
            raise KeyboardInterrupt
        hang.wait(20)

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fan_out(["host1", "host2"], interrupted_or_hung)
    hang.set()
    assert time.monotonic() - start < 5


def test_ctrl_c_does_not_wait_for_a_hung_host() -> None:
    hang = threading.Event()
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fan_out(["host1"], lambda _: hang.wait(20))
    hang.set()
    assert time.monotonic() - start < 5


def test_nothing_to_do() -> None:
    assert fan_out({}, _fail) == {}
