"""The disk of a host with a kernel of its own, as data: the node image's packages, a kernel, and what boots and names the machine."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from importlib import resources

from swarmlab.providers.images import recipe

DEFAULT_ENGINE = "26.1"  # emulated, its hosts are ready about twice as fast as those of 20.10 (measured)
KERNEL_PACKAGES = ("linux-image-cloud-amd64",)

FILES = {  # file beside this one -> (where it goes, mode)
    "machine-init": ("usr/local/sbin/swarmlab-init", 0o755),
    "machine-guest": ("usr/local/sbin/swarmlab-guest", 0o755),
    **{name: recipe.FILES[name] for name in ("nxdomain", "sshd_config", "daemon.json", "containerd.toml")},
}

# Run in the root, in this order. iptables-legacy: emulated, a call of it takes a fraction of what iptables-nft takes.
INSIDE = (
    "for one in iptables ip6tables; do update-alternatives --set $one /usr/sbin/$one-legacy; done",
    "echo nameserver 127.0.0.1 >/etc/resolv.conf",
    recipe.CLEAN,
)
# Before the kernel is installed: an initrd with what finds the disk and no more boots in half the time.
BEFORE = (
    'mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"',
    'printf "MODULES=list\\nCOMPRESS=gzip\\n" >"$1/etc/initramfs-tools/conf.d/swarmlab"',
    'printf "virtio_pci\\nvirtio_blk\\next4\\n" >"$1/usr/share/initramfs-tools/modules.d/swarmlab"',
)
DISK_SIZE = "8G"  # of which a host takes what it writes: the file is sparse


@dataclass(frozen=True)
class MachineRecipe:
    """One disk: the engine that Debian's `suite` carries, and that suite's kernel."""

    engine: str
    suite: str
    packages: tuple[str, ...]

    @property
    def hash(self) -> str:
        """Twelve hex digits that change when anything that goes onto the disk does."""
        material = [self.engine, self.suite, self.packages, recipe.LEFT_OUT, INSIDE, BEFORE, DISK_SIZE, sorted(FILES.items())]
        return hashlib.sha256(json.dumps(material).encode() + overlay_tar()).hexdigest()[:12]

    @property
    def tag(self) -> str:
        """The name of its directory in the cache."""
        return f"vm-{self.suite}-{self.hash}"


def machine_recipe(engine: str) -> MachineRecipe:
    """The recipe for an engine version, as `--engine` names it."""
    node = recipe.recipe(engine)
    return MachineRecipe(node.engine, node.suite, (*node.packages, *KERNEL_PACKAGES))


def engines(wanted: str, hosts: list[str]) -> dict[str, str]:
    """Which engine each host gets.

    >>> engines("host2=28.5", ["host1", "host2"])
    {'host1': '26.1', 'host2': '28.5'}
    """
    return recipe.engines(wanted, hosts, DEFAULT_ENGINE)


def overlay_tar() -> bytes:
    """The files as a tar to be unpacked at the root; the same bytes each time."""
    here = resources.files("swarmlab.providers.images")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, (path, mode) in sorted(FILES.items()):
            data = here.joinpath(name).read_bytes()
            entry = tarfile.TarInfo(path)
            entry.mode, entry.size = mode, len(data)
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()
