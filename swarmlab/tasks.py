"""The bootstrap as Fabric tasks, for users of `fab`: `fab -r swarmlab -c tasks swarm --lab three-tier`.

`fab -r swarmlab -c tasks --list` shows them. The tasks do what `swarmlab up` does, step by step, on the hosts of an
existing lab; each completes what it finds.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from swarmlab.engine.client import Engine
from swarmlab.engine.swarm import Swarm, find
from swarmlab.errors import USAGE, HostError, SwarmlabError
from swarmlab.events import Bus
from swarmlab.lab import build, home, state
from swarmlab.lab.down import down as lab_down
from swarmlab.lab.fleet import connected
from swarmlab.lab.state import LabState
from swarmlab.providers import row
from swarmlab.remote.tasks import Context, end, say, task


@contextmanager
def _hosts(lab: str) -> Iterator[tuple[LabState, dict[str, Engine], Bus]]:
    """The lab's engines, with its lock held. An error ends `fab` with its message and status, not with a traceback."""
    try:
        kept = state.require(lab)
        with home.locked(kept.lab), connected(kept.hosts) as engines:
            yield kept, engines, Bus()
    except SwarmlabError as error:
        end(str(error), error.status)


def _swarm(kept: LabState, engines: dict[str, Engine]) -> Swarm:
    found = find(engines, kept.lab)
    if found is None:
        raise HostError(kept.lab, "its hosts are in no Swarm of the lab's yet", fix="run the task `swarm` first")
    return found


@task
def preflight(context: Context, lab: str) -> None:
    """Every host answers over SSH, and its engine answers there."""
    with _hosts(lab) as (_, engines, _bus):
        for name, engine in engines.items():
            version = engine.version
            say(f"{name}  {engine.address}  engine {version['Version']}  kernel {version['KernelVersion']}")


@task
def swarm(context: Context, lab: str) -> None:
    """Init on the first manager, join of the rest, labels."""
    with _hosts(lab) as (kept, engines, bus):
        formed = build.form_swarm(engines, kept.lab, kept.managers, bus, owned=row(kept.provider).owned)
        say(f"{len(formed.nodes)} nodes; {formed.leader.name} gives orders")


@task
def deploy(context: Context, lab: str, wait: str = "300") -> None:
    """Carry images, deploy the stack, wait (seconds) until every task runs."""
    if not wait.isdecimal():
        end(f"--wait is a number of seconds, not {wait!r}", USAGE)
    with _hosts(lab) as (kept, engines, bus):
        build.carry(engines, kept.read_scenario(), bus)
        build.deploy(engines, _swarm(kept, engines), kept.read_scenario(), kept.lab, bus, wait=float(wait))
        say("every task runs")


@task
def down(context: Context, lab: str) -> None:
    """Remove the lab."""
    try:
        for line in lab_down(lab, Bus()):
            say(f"removed {line}")
    except SwarmlabError as error:
        end(str(error), error.status)


if __name__ == "__main__":
    sys.exit("these are Fabric tasks: fab -r swarmlab -c tasks --list")
