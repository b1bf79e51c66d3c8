"""The disk of a host with a kernel of its own, as data: the node image's packages, a kernel, and what boots and names
the machine.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from swarmlab.providers.images import recipe
from swarmlab.providers.images.by_host import Choice

DEFAULT_ENGINE = "26.1"  # emulated, its hosts are ready about twice as fast as those of 20.10 (measured)
KERNEL_PACKAGES = ("linux-image-cloud-amd64",)
# sid's kernel prefers dracut, whose systemd hands on a umask of 0; sshd refuses the directory that is then made for it.
MORE_PACKAGES = {"sid": ("initramfs-tools",)}
SUITES = {"6.1": "bookworm", "6.12": "trixie", "7.2": "sid"}  # kernel -> the Debian suite that carries it
KERNELS = Choice("kernel", SUITES, ("6.1", "6.12"))
KEYRING = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"

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


# Of a second suite, nothing but the kernel. linux-base serves both suites' packages: of that, the newer one.
PINS = """Package: *
Pin: release n={0}*
Pin-Priority: 1

Package: linux-image-* linux-modules-* linux-binary-* linux-base-*
Pin: release n={0}*
Pin-Priority: 990

Package: linux-base
Pin: release n={0}*
Pin-Priority: 500
"""


@dataclass(frozen=True)
class MachineRecipe:
    """One disk: the engine that Debian's `suite` carries, and a kernel, which may be another suite's; "" is whatever
    this one has.
    """

    engine: str
    suite: str
    packages: tuple[str, ...]
    kernel: str = ""

    @property
    def borrowed(self) -> str:
        """The other suite that the kernel comes from, "" where it is the engine's own."""
        found = SUITES.get(self.kernel, self.suite)
        return "" if found == self.suite else found

    @property
    def runs(self) -> dict[str, str]:
        """What a host that starts from it runs, by the flags that ask for it.

        >>> machine_recipe("28.5").runs
        {'engine': '28.5', 'kernel': '7.2'}
        """
        return {
            "engine": self.engine,
            "kernel": self.kernel or next(kernel for kernel, suite in SUITES.items() if suite == self.suite),
        }

    @property
    def before(self) -> tuple[str, ...]:
        """Shell commands for the empty root, before anything is installed."""
        return (*BEFORE, *(_borrow(self.suite, self.borrowed) if self.borrowed else ()))

    @property
    def hash(self) -> str:
        """Twelve hex digits that change when anything that goes onto the disk does."""
        material = [
            self.engine,
            self.suite,
            self.packages,
            recipe.LEFT_OUT,
            INSIDE,
            self.before,
            DISK_SIZE,
            sorted(FILES.items()),
        ]
        return hashlib.sha256(json.dumps(material).encode() + overlay_tar()).hexdigest()[:12]

    @property
    def tag(self) -> str:
        """The name of its directory in the cache."""
        return "-".join(["vm", self.suite, *([self.kernel] if self.borrowed else []), self.hash])


def _borrow(own: str, suite: str) -> tuple[str, ...]:
    """Have apt know another suite, from the same mirrors as the root's own, and take the kernel from it."""
    security = "()" if suite == "sid" else "(-security)"  # sid has none
    known = f"s|^deb (\\[[^]]*\\] )?(\\S+) {own}{security}? (.*)$|deb {KEYRING} \\2 {suite}\\3 \\4|p"
    return (
        f'sed -nE {shlex.quote(known)} "$1/etc/apt/sources.list" >"$1/etc/apt/sources.list.d/kernel.list"',
        f'printf %s {shlex.quote(PINS.format(suite))} >"$1/etc/apt/preferences.d/kernel"',
    )


def machine_recipe(engine: str, kernel: str = "") -> MachineRecipe:
    """The recipe for an engine and a kernel, as `--engine` and `--kernel` name them; without a kernel, the engine's own
    suite's.
    """
    node = recipe.recipe(engine)
    more = MORE_PACKAGES.get(SUITES[KERNELS.checked(kernel)] if kernel else node.suite, ())
    return MachineRecipe(node.engine, node.suite, (*node.packages, *KERNEL_PACKAGES, *more), kernel)


def machine_recipes(engine: str, kernel: str, hosts: Sequence[str]) -> dict[str, MachineRecipe]:
    """Each host's."""
    asked = KERNELS.by_host(kernel, dict.fromkeys(hosts, ""))
    return {host: machine_recipe(version, asked[host]) for host, version in engines(engine, hosts).items()}


def engines(wanted: str, hosts: Sequence[str]) -> dict[str, str]:
    """Which engine each host gets.

    >>> engines("host2=28.5", ["host1", "host2"])
    {'host1': '26.1', 'host2': '28.5'}
    """
    return recipe.engines(wanted, hosts, DEFAULT_ENGINE)


def overlay_tar() -> bytes:
    """The files as a tar to be unpacked at the root; the same bytes each time."""
    return recipe.overlay_tar(FILES)
