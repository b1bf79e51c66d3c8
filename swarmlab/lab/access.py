"""`ssh` and `exec`: the command line that gets a user there. The real ssh client does it, so terminals and exit
statuses are right.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from swarmlab.engine import stack, standalone
from swarmlab.engine import swarm as swarms
from swarmlab.errors import HostError, UsageError
from swarmlab.lab import state
from swarmlab.lab.fleet import connected
from swarmlab.lab.state import LabState
from swarmlab.model.host import Host


def ssh_argv(lab: str, host: str, command: Sequence[str], *, terminal: bool = False) -> list[str]:
    """For os.execvp. Raises UsageError that lists the hosts."""
    kept = state.require(lab)
    return _ssh(_host(kept, host), shlex.join(command), terminal=terminal or not command)


def exec_argv(lab: str, service: str, command: Sequence[str], *, terminal: bool = False) -> list[str]:
    """For os.execvp: `service` is SERVICE, SERVICE.SLOT or a standalone container. Raises UsageError that lists what
    runs.
    """
    kept = state.require(lab)
    host, container = _task(kept, service)
    flags = ["--interactive", "--tty"] if terminal else ["--interactive"]
    argv = ["docker", "exec", *flags, container, *(command or ["sh"])]
    return _ssh(_host(kept, host), shlex.join(argv), terminal=terminal)


def _host(kept: LabState, name: str) -> Host:
    for host in kept.machines:
        if host.name == name:
            return host
    known = ", ".join(h.name for h in kept.machines) or "none"
    raise UsageError(f"lab {kept.lab!r} has no host {name!r}; hosts: {known}")


def _ssh(host: Host, command: str, *, terminal: bool) -> list[str]:
    ssh = host.ssh
    options = {
        "UserKnownHostsFile": str(ssh.known_hosts),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
        "BatchMode": "yes",
        "ConnectTimeout": "10",  # a paused host takes the connection, and never says a word
        "LogLevel": "ERROR",
    }
    argv = ["ssh", "-F", "/dev/null", "-t" if terminal else "-T", "-p", str(ssh.port)]
    argv += [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
    argv += ["-i", str(ssh.identity)] if ssh.identity else []
    as_root = f"sudo -n -- {command}" if command and ssh.user != "root" else command
    return [*argv, f"{ssh.user}@{ssh.address}", *(["--", as_root] if as_root else [])]


def _task(kept: LabState, wanted: str) -> tuple[str, str]:
    """Host and container of a running task."""
    scenario = kept.read_scenario()
    with connected(kept.hosts, deadline=10) as engines:
        if wanted in scenario.containers:
            host = scenario.containers[wanted].host
            found = standalone.inspect(engines[host], wanted)
            if found is None:
                raise HostError(
                    host,
                    f"container {wanted} does not exist any more",
                    fix=f"`swarmlab up` again completes lab {kept.lab}",
                )
            return host, str(found["Id"])
        swarm = swarms.find(engines, kept.lab)
        if swarm is None:
            raise HostError(
                kept.lab, "none of its hosts manages its Swarm", fix="`swarmlab up` again completes the lab"
            )
        listed = stack.services(swarm.leader, kept.lab)
        running: dict[str, tuple[str, str]] = {}
        for task in stack.tasks(swarm.leader, listed):
            if task["Status"]["State"] == "running" and task["DesiredState"] == "running":
                name = next(s["Spec"]["Name"] for s in listed if s["ID"] == task["ServiceID"]).removeprefix(
                    f"{kept.lab}_"
                )
                host = swarm.host_of(task["NodeID"])
                running[f"{name}.{task.get('Slot') or host}"] = (
                    host,
                    str(task["Status"]["ContainerStatus"]["ContainerID"]),
                )
    match = [running[k] for k in sorted(running) if k == wanted or k.rpartition(".")[0] == wanted]
    if not match:
        known = ", ".join([*sorted(running), *scenario.containers]) or "nothing"
        raise UsageError(f"nothing called {wanted!r} runs in lab {kept.lab!r}; running: {known}")
    return match[0]
