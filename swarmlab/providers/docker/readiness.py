"""When a container host is ready: its sshd lets us in and its dockerd answers."""

from __future__ import annotations

import docker

from swarmlab.errors import DeadlinePassed, HostError, ProviderError
from swarmlab.model.host import Host
from swarmlab.providers.base import Greeting
from swarmlab.providers.docker.local_engine import asked

LOGS = ("/var/log/swarmlab-boot.log", "/var/log/sshd.log", "/var/log/dockerd.log")


def wait_ready(client: docker.DockerClient, container: str, host: Host, greet: Greeting) -> None:
    """Return once the host answers `greet`; ProviderError with the host's own log otherwise."""
    try:
        greet(host)
    except (HostError, DeadlinePassed) as error:
        raise ProviderError(
            f"{error.message}\n{_log(client, container)}", fix=error.fix or "the log above says why"
        ) from error


def _log(client: docker.DockerClient, container: str) -> str:
    """The last lines of the boot script and of dockerd, read through the engine, as SSH may be what fails."""
    with asked(f"read the log of {container}"):
        found = client.containers.get(container)
        if found.status != "running":
            state = found.attrs["State"]
            return f"  its container is {found.status}: {state.get('Error') or state.get('ExitCode')}"
        said = found.exec_run(["tail", "-n", "8", *LOGS]).output
    text = said if isinstance(said, bytes) else b"".join(said)
    return "\n".join(f"  {line}" for line in text.decode("utf-8", "replace").splitlines())
