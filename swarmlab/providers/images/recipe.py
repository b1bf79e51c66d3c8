"""The node image as data: which packages of which Debian suite, which files, and the hash that names the result."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from swarmlab.providers.images.by_host import Choice

REPOSITORY = "swarmlab/node"
LABEL = "io.swarmlab.image"
DEFAULT_ENGINE = "20.10"

# mount, procps: the boot script and the agent's helpers; kmod: dockerd asks for modules where a kernel has some.
BASE_PACKAGES = (
    "ca-certificates",
    "docker.io",
    "iproute2",
    "iptables",
    "kmod",
    "mount",
    "openssh-server",
    "procps",
    "python3",
    "tini",
    "busybox-static",
)

FILES = {  # file beside this one -> (where it goes, mode)
    "boot": ("usr/local/sbin/swarmlab-boot", 0o755),
    "nxdomain": ("usr/local/sbin/swarmlab-nxdomain", 0o755),
    "sshd_config": ("etc/ssh/sshd_config", 0o644),
    "daemon.json": ("etc/docker/daemon.json", 0o644),
    "containerd.toml": ("etc/swarmlab/containerd.toml", 0o644),
}

ENTRYPOINT = ("/usr/bin/tini", "-g", "--", "/usr/local/sbin/swarmlab-boot")

# Nobody reads these on a host; without them the image is half as large.
LEFT_OUT = (
    "/usr/share/doc/*",
    "/usr/share/man/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/share/bash-completion/*",
)

# Keys must be the lab's own: those that openssh-server makes when it is installed would be shared by every host.
CLEAN = "rm -rf /etc/ssh/ssh_host_* /etc/machine-id /var/lib/apt/lists/* /var/cache/apt/* /var/log/*.log"


@dataclass(frozen=True)
class Recipe:
    """One node image: the engine that Debian's `suite` carries, and what is installed. `base` is the image that a
    registry would give.
    """

    engine: str
    suite: str
    packages: tuple[str, ...]

    @property
    def base(self) -> str:
        """The registry's name for a small root of this suite."""
        return f"debian:{self.suite}-slim"

    @property
    def hash(self) -> str:
        """Twelve hex digits that change when anything that goes into the image does."""
        material = [self.engine, self.suite, self.packages, ENTRYPOINT, LEFT_OUT, CLEAN, sorted(FILES.items())]
        digest = hashlib.sha256(json.dumps(material).encode())
        for name, data in sorted(file_contents().items()):
            digest.update(f"{name}\0{len(data)}\0".encode() + data)
        return digest.hexdigest()[:12]

    @property
    def tag(self) -> str:
        """The image's name on the engine: `swarmlab/node:SUITE-HASH`."""
        return f"{REPOSITORY}:{self.suite}-{self.hash}"

    @property
    def labels(self) -> dict[str, str]:
        """What the image says about itself."""
        return {LABEL: "node", "io.swarmlab.engine": self.engine, "io.swarmlab.recipe": self.hash}


RECIPES = {
    "20.10": Recipe("20.10", "bookworm", BASE_PACKAGES),
    "26.1": Recipe("26.1", "trixie", (*BASE_PACKAGES, "docker-cli")),
    "28.5": Recipe("28.5", "sid", (*BASE_PACKAGES, "docker-cli")),
}


ENGINES = Choice("engine", RECIPES, ("20.10", "28.5"))


def recipe(engine: str) -> Recipe:
    """The recipe for an engine version, as `--engine` names it."""
    return RECIPES[ENGINES.checked(engine)]


def engines(wanted: str, hosts: Sequence[str], default: str = DEFAULT_ENGINE) -> dict[str, str]:
    """Which engine each host gets.

    >>> engines("host2=28.5", ["host1", "host2"])
    {'host1': '20.10', 'host2': '28.5'}
    >>> engines("26.1", ["host1"])
    {'host1': '26.1'}
    """
    return ENGINES.by_host(wanted, dict.fromkeys(hosts, default))


def file_contents(files: Collection[str] = tuple(FILES)) -> Mapping[str, bytes]:
    """The files of an image, by their name here."""
    here = resources.files("swarmlab.providers.images")
    return {name: here.joinpath(name).read_bytes() for name in files}


def overlay_tar(files: Mapping[str, tuple[str, int]] = FILES) -> bytes:
    """The files as a tar to be unpacked at an image's root; the same bytes each time."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in sorted(file_contents(files).items()):
            path, mode = files[name]
            entry = tarfile.TarInfo(path)
            entry.mode, entry.size = mode, len(data)
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()
