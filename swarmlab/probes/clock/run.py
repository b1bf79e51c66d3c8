"""Reads every host's clock: each agent is asked for the time, and how long the answer took bounds the error."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from swarmlab.agent.protocol.probing import Hello
from swarmlab.errors import HostError
from swarmlab.probes.session.link import AgentLink

PATIENCE = 10.0  # seconds for an answer; an agent that is asked nothing else answers within milliseconds


@dataclass(frozen=True)
class Reading:
    """One host's clock. `offset`: its seconds less those of our monotonic clock, which nobody sets meanwhile, give or
    take `error`; None: not known, and why.
    """

    host: str
    offset: float | None = None
    error: float = 0.0
    why: str = ""


def read_clocks(agents: Mapping[str, AgentLink], dead: Mapping[str, str]) -> dict[str, Reading]:
    """All at once, by host; `dead` are hosts that cannot be asked. Never raises for a host that fails."""
    with ThreadPoolExecutor(max_workers=max(1, len(agents)), thread_name_prefix="clock") as pool:
        alive = {host: agent for host, agent in agents.items() if host not in dead}
        readings = list(pool.map(lambda host: _read(host, alive[host]), alive))
    found = {host: Reading(host, why=why) for host, why in dead.items()}
    return dict(sorted({**found, **{reading.host: reading for reading in readings}}.items()))


def _read(host: str, agent: AgentLink) -> Reading:
    """The host read its clock somewhere between our question and its answer."""
    start = time.monotonic()
    try:
        clock = agent.request(Hello(), PATIENCE).clock
    except HostError as error:
        return Reading(host, why=error.message)
    half = (time.monotonic() - start) / 2
    if clock is None:
        return Reading(host, why="its agent does not tell the time")
    return Reading(host, clock - start - half, half)
