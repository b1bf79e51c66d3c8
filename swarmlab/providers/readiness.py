"""When a container host is ready: its sshd lets us in and its dockerd answers."""

from __future__ import annotations

import docker

from swarmlab.errors import DeadlinePassed, HostError, ProviderError
from swarmlab.model.host import OUTSIDE, Host
from swarmlab.providers.local_engine import asked
from swarmlab.remote import Remote, until

PATIENCE = 60.0  # seconds; two or three on an idle machine
LOGS = ("/var/log/swarmlab-boot.log", "/var/log/sshd.log", "/var/log/dockerd.log")
ASK = ["docker", "version", "--format", "{{.Server.Version}}"]


def wait_ready(client: docker.DockerClient, container: str, host: Host) -> None:
    """Return once the host's engine answers over SSH (outside the Swarm: just SSH); ProviderError with the host's own log otherwise."""
    said: list[str] = ["nothing yet"]
    with Remote(host) as remote:

        def answers() -> bool:
            ran = remote.run(["true"] if host.name == OUTSIDE else ASK, check=False)
            said[0] = ran.stderr.strip() or ran.stdout.strip()
            return ran.status == 0

        try:
            remote.connect(PATIENCE)
            until(answers, f"dockerd on {host.name} answers", PATIENCE, 0.1, lambda: said[0])
        except (HostError, DeadlinePassed) as error:
            raise ProviderError(f"{error.message}\n{_log(client, container)}", fix=error.fix or "the log above says why") from error


def _log(client: docker.DockerClient, container: str) -> str:
    """The last lines of the boot script and of dockerd, read through the engine, as SSH may be what fails."""
    with asked(f"read the log of {container}"):
        found = client.containers.get(container)
        if found.status != "running":
            return f"  its container is {found.status}: {found.attrs['State'].get('Error') or found.attrs['State'].get('ExitCode')}"
        said = found.exec_run(["tail", "-n", "8", *LOGS]).output
    text = said if isinstance(said, bytes) else b"".join(said)
    return "\n".join(f"  {line}" for line in text.decode("utf-8", "replace").splitlines())
