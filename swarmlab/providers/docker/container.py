"""A host as a container: what the engine is asked for, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from swarmlab.model.host import OUTSIDE

# Labels of all that is made: which lab it is of, which host, and which state directory owns the lab.
LAB = "io.swarmlab.lab"
HOST = "io.swarmlab.host"
HOME = "io.swarmlab.home"

# On volumes: overlayfs does not stack on overlayfs.
DATA = {"docker": "/var/lib/docker", "containerd": "/var/lib/containerd"}
MODULES = "/lib/modules"
# What `images/boot` does, less the engine: no way out of the underlay, a name server that knows nothing, and sshd.
BOOT_OUTSIDE = (
    "trap 'exit 0' TERM INT; ip route del default 2>/dev/null; echo 'nameserver 127.0.0.1' >/etc/resolv.conf; "
    "mkdir -p -m 0755 /run/sshd; /usr/sbin/sshd -D -e >/var/log/sshd.log 2>&1 & while :; do wait; sleep 1 & done"
)
TMPFS = {"/run": "exec,mode=755", "/tmp": "exec,mode=1777"}  # noqa: S108  # a mount point


@dataclass(frozen=True)
class ContainerHost:
    """A container that is to be a host of a lab, or the machine outside."""

    lab: str
    host: str
    home: str
    image: str
    engine: str
    network: str
    address: str

    @property
    def name(self) -> str:
        """The container's name."""
        return f"swarmlab-{self.lab}-{self.host}"

    @property
    def labels(self) -> dict[str, str]:
        """By these it is found again, and by nothing else."""
        return {**labels(self.lab, self.home), HOST: self.host, "io.swarmlab.engine": self.engine}

    @property
    def volumes(self) -> dict[str, str]:
        """Volume name -> where it is mounted; without an engine there is nothing to keep."""
        return {} if self.host == OUTSIDE else {f"{self.name}-{key}": path for key, path in DATA.items()}


def labels(lab: str, home: str) -> dict[str, str]:
    """What everything of a lab carries."""
    return {LAB: lab, HOME: home}


def config(wanted: ContainerHost, drop: tuple[str, ...], *, modules: bool) -> dict[str, object]:
    """The body of the engine's "create container", without the capabilities in `drop`. It is not `Privileged`: that
    fails where the engine itself lacks a capability.
    """
    binds = [f"{volume}:{path}" for volume, path in wanted.volumes.items()]
    if modules:
        binds.append(f"{MODULES}:{MODULES}:ro")
    return {
        **(
            {"Entrypoint": ["/usr/bin/tini", "-g", "--", "/bin/sh", "-c", BOOT_OUTSIDE]}
            if wanted.host == OUTSIDE
            else {}
        ),
        "Image": wanted.image,
        "Hostname": wanted.host,
        "Labels": wanted.labels,
        "ExposedPorts": {"22/tcp": {}},
        "HostConfig": {
            "Binds": binds,
            "NetworkMode": wanted.network,
            "PortBindings": {"22/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]},
            "CapAdd": ["ALL"],
            "CapDrop": list(drop),
            "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined", "label=disable"],
            "MaskedPaths": [],
            "ReadonlyPaths": [],
            "DeviceCgroupRules": ["a *:* rwm"],
            "CgroupnsMode": "private",
            "Tmpfs": TMPFS,
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
        },
        "NetworkingConfig": {"EndpointsConfig": {wanted.network: {"IPAMConfig": {"IPv4Address": wanted.address}}}},
    }


def has_modules(base_url: str) -> bool:
    """Whether the engine's machine has modules that a host may want to load; can be told only of this machine."""
    return base_url.startswith("http+docker://") and Path(MODULES).is_dir()


def published_port(attributes: Mapping[str, object]) -> int:
    """The loopback port of the container's sshd, 0 while it has none."""
    settings = attributes.get("NetworkSettings")
    ports = settings.get("Ports") if isinstance(settings, dict) else None
    bindings = (ports or {}).get("22/tcp") or []
    return int(bindings[0]["HostPort"]) if bindings else 0
