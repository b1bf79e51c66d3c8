"""Endpoints are closed together: every capture once at least, side by side, however many there are."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from swarmlab.agent.probing import endpoint as room
from swarmlab.agent.probing.capture import Capture
from swarmlab.agent.probing.endpoint import Endpoint, close_all
from swarmlab.agent.protocol.probing import EndpointSpec


class FakeCapture:
    """Closing it takes until so many are being closed at once."""

    def __init__(self, together: threading.Barrier) -> None:
        self.together, self.closed = together, False

    def close(self) -> None:
        if not self.closed:
            self.together.wait(timeout=5)
        self.closed = True


def endpoints(captures: list[FakeCapture]) -> list[Endpoint]:
    return [
        Endpoint(EndpointSpec(str(number)), capture=cast(Capture, cast(Any, one)))
        for number, one in enumerate(captures)
    ]


@pytest.mark.parametrize("rounds", [1, 3])
def test_as_many_as_allowed_at_once_and_all_of_them(rounds: int) -> None:
    together = threading.Barrier(room._AT_ONCE)
    captures = [FakeCapture(together) for _ in range(rounds * room._AT_ONCE)]
    open_ones = endpoints(captures)
    close_all(open_ones)
    assert all(one.closed for one in captures)
    assert not any(one.capture for one in open_ones)


def test_none_and_one_without_a_capture() -> None:
    close_all([])
    without = Endpoint(EndpointSpec("gone"), error="gone: no such process")
    close_all([without])
    assert without.capture is None
