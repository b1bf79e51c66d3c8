"""The agent on the machine outside the Swarm. That it cannot be reached makes its checks inconclusive, and nothing
else.
"""

from __future__ import annotations

from contextlib import ExitStack

from swarmlab import probes
from swarmlab.errors import HostError
from swarmlab.model.host import Host
from swarmlab.remote import Remote

PATIENCE = 10.0  # seconds: it was there when the lab was made


def external_client(host: Host | None, stack: ExitStack) -> probes.ExternalClient:
    """Connected until `stack` ends."""
    if host is None:
        return probes.ExternalClient()
    remote = Remote(host)
    stack.callback(remote.close)
    try:
        remote.connect(PATIENCE)
        link = probes.SessionLink.start(host.name, remote.session)
    except HostError as error:
        return probes.ExternalClient(host.address, None, error.message)
    stack.callback(link.close)
    return probes.ExternalClient(host.address, link)
