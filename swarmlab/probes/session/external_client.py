"""The machine outside the Swarm, from which published ports are tried."""

from __future__ import annotations

from dataclasses import dataclass

from swarmlab.probes.session.link import AgentLink


@dataclass(frozen=True)
class ExternalClient:
    """Its address on the underlay ("" : the lab has no such machine) and its agent, or why there is none."""

    address: str = ""
    agent: AgentLink | None = None
    dead: str = ""
