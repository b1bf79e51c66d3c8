"""Nets and agents that are taken away again, whatever happens."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.integration.agent.rig import AgentProcess, Net


@pytest.fixture
def make_net() -> Iterator[Callable[[int], Net]]:
    """A net of so many namespaces."""
    if os.geteuid() != 0:
        pytest.skip("needs root to make network namespaces")
    nets: list[Net] = []

    def make(count: int) -> Net:
        nets.append(Net(count))
        return nets[-1]

    yield make
    for net in nets:
        net.close()


@pytest.fixture
def make_agent() -> Iterator[Callable[[], AgentProcess]]:
    """A running agent."""
    if os.geteuid() != 0:
        pytest.skip("the agent runs as root")
    agents: list[AgentProcess] = []

    def make() -> AgentProcess:
        agents.append(AgentProcess())
        return agents[-1]

    yield make
    for agent in agents:
        agent.close()


@pytest.fixture
def net(make_net: Callable[[int], Net]) -> Net:
    """Three namespaces."""
    return make_net(3)


@pytest.fixture
def agent(make_agent: Callable[[], AgentProcess]) -> AgentProcess:
    """One agent."""
    return make_agent()
