"""Who a machine is to be: what its guest is told over the private way in, and nothing else ever sees."""

from __future__ import annotations

import secrets
import time
import uuid
from ipaddress import IPv4Network

from swarmlab.model.host import OUTSIDE
from swarmlab.providers.base import HostsWanted
from swarmlab.providers.lab_keys import HOST_KEY, LabKeys
from swarmlab.providers.qemu.machine import mac
from swarmlab.providers.underlay import address_of

SEED = 64  # bytes of randomness: copies of one machine must not draw the same keys


def identity(wanted: HostsWanted, host: str, subnet: IPv4Network, keys: LabKeys) -> dict[str, object]:
    """The line for images/machine-guest. Made anew at each start, but for what must last: keys, names, addresses. The
    machine outside the Swarm has no engine, and so no identity of one.
    """
    number = wanted.number_of(host)
    machine = uuid.uuid5(uuid.NAMESPACE_DNS, f"{host}.{wanted.lab}.{wanted.home}.swarmlab").hex
    public = keys.identity.with_name(f"{keys.identity.name}.pub").read_text(encoding="ascii")
    return {
        "epoch": time.time(),
        "seed": secrets.token_hex(SEED),
        "hostname": host,
        "engine_id": "" if host == OUTSIDE else str(uuid.uuid4()),
        "mac": mac(wanted.home, wanted.lab, number),
        "address": f"{address_of(subnet, number)}/{subnet.prefixlen}",
        "files": {
            f"/{HOST_KEY}": (0o600, keys.hosts[host].read_text(encoding="ascii")),
            "/root/.ssh/authorized_keys": (0o600, public),
            "/etc/machine-id": (0o444, machine + "\n"),
            "/etc/hostname": (0o644, host + "\n"),
            "/etc/hosts": (0o644, f"127.0.0.1 localhost\n127.0.1.1 {host}\n::1 localhost\n"),
        },
    }
