"""What must hold before silence or an answer from outside means anything: each condition is one small function.

Each returns "" where it holds, else what is missing, in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from swarmlab.model.evidence import Evidence
from swarmlab.model.host import OUTSIDE
from swarmlab.model.probe import Probe
from swarmlab.probes.publish.plan import HostPort
from swarmlab.probes.publish.published import Published

Condition = Callable[[Published, Probe, HostPort, Evidence], str]


def unmet(
    conditions: Iterable[Condition], p: Published, probe: Probe, host_port: HostPort, evidence: Evidence
) -> Iterator[str]:
    """What is missing, in the order of the conditions."""
    return filter(None, (condition(p, probe, host_port, evidence) for condition in conditions))


def outside_is_sound(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    """The external client lived to the end."""
    return p.facts.unsound(OUTSIDE)


def was_measured(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    """The client's kernel took the packet, and the listener was alive where the agent has one."""
    return p.facts.unmeasured(probe, evidence)


def request_left(p: Published, probe: Probe, host_port: HostPort, evidence: Evidence) -> str:
    """It was seen leaving the client."""
    if evidence.left:
        return ""
    if evidence.left is False:
        return f"the request never left {OUTSIDE}"
    return f"it is not known that the request left {OUTSIDE}"
