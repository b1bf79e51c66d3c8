"""Agents that were started ahead: they stay while they answer, and are replaced when they do not; a host without one
says why.
"""

from __future__ import annotations

from typing import Any, cast

from swarmlab.agent.protocol.message import VERSION
from swarmlab.engine.client import Engine
from swarmlab.errors import HostError
from swarmlab.lab.agents import Agents

HELLO = b'{"op": "hello", "version": %d, "missing_features": []}\n' % VERSION


class FakeHost:
    """An engine, its remote and its session in one: it answers as often as it has lines, then it has ended."""

    command = "agent"

    def __init__(self, name: str, *lines: bytes) -> None:
        self.name, self.lines = name, list(lines)
        self.sessions = self.closed = 0

    @property
    def remote(self) -> FakeHost:
        return self

    def session(self, argv: list[str]) -> FakeHost:
        self.sessions += 1
        return self

    def write(self, data: bytes) -> None: ...

    def read_line(self, timeout: float, limit: int) -> bytes:
        if not self.lines:
            raise HostError(self.name, "`agent` ended early, with status 0")
        return self.lines.pop(0)

    def stderr(self) -> str:
        return ""

    def close(self) -> None:
        self.closed += 1


def of(*hosts: FakeHost) -> Agents:
    return Agents({host.name: cast(Engine, cast(Any, host)) for host in hosts})


def test_one_that_was_started_ahead_stays_while_it_answers() -> None:
    host = FakeHost("host1", HELLO, HELLO)
    with of(host) as agents:
        agents.start()
        ahead = agents.links["host1"]
        agents.start()
        assert agents.links == {"host1": ahead}
    assert (host.sessions, host.closed) == (1, 1)


def test_one_that_has_ended_meanwhile_is_replaced() -> None:
    host = FakeHost("host1", HELLO)
    with of(host) as agents:
        agents.start()
        ahead = agents.links["host1"]
        host.lines = [b"", HELLO]  # the old one's end of output, and the new one's hello
        agents.start()
        assert agents.links["host1"] is not ahead
    assert host.sessions == 2
    assert agents.dead == {}


def test_where_none_starts_the_reason_is_known_and_the_others_measure() -> None:
    with of(FakeHost("host1"), FakeHost("host2", HELLO)) as agents:
        agents.start()
        assert list(agents.links) == ["host2"]
        assert agents.dead == {"host1": "host1: the agent ended early, with status 0"}


def test_a_second_try_forgives_the_first() -> None:
    host = FakeHost("host1")
    with of(host) as agents:
        agents.start()
        host.lines = [HELLO]
        agents.start()
        assert list(agents.links) == ["host1"]
        assert agents.dead == {}


def test_one_that_dies_and_cannot_be_replaced_is_dead() -> None:
    host = FakeHost("host1", HELLO)
    with of(host) as agents:
        agents.start()
        agents.start()
        assert agents.links == {}
        assert "ended early" in agents.dead["host1"]
