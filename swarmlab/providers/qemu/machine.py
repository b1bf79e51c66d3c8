"""A host as a virtual machine: what QEMU is asked for, as data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "qemu-system-x86_64"
HOME_MARK = "name=opt/io.swarmlab/home,string="  # by this and its name a machine is found again, and by nothing else
MEMORY = 1024  # MiB; three hosts restored from one state share what none of them changes
# One CPU model with few features: emulated, guests that find AVX use it, and wait for it. tb-size, in MiB, bounds what
# QEMU keeps of translated code: a host then takes 570 MiB of its own in place of 1,180, and is no slower.
ACCELERATORS = {
    "kvm": ("-accel", "kvm", "-cpu", "host"),
    "tcg": ("-accel", "tcg,thread=multi,tb-size=256", "-cpu", "Nehalem"),
}
# With its version: a saved state fits its own machine only.
MACHINE = "pc-i440fx-7.2,memory-backend=ram,usb=off,vmport=off,hpet=off"
# tsc=reliable: a loaded machine that is emulated loses ticks; its kernel blames the TSC, and takes another clock that
# costs 5 µs to read.
KERNEL_LINE = (
    "root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 mitigations=off apparmor=0 panic=-1 tsc=reliable audit=0 "
    "nowatchdog init=/usr/local/sbin/swarmlab-init"
)
RESTORED = "swarmlab.warm"
WAY_IN_NET = "198.18.255.0/24"  # for benchmarks (RFC 2544): no scenario and no overlay pool has it
PLACEHOLDER = "52:54:00:00:00:"  # NICs of the saved machine; the underlay's is given another one


@dataclass(frozen=True)
class Machine:
    """One machine. `folder` is where its sockets and logs are, named after `host`; QEMU is started there, so that their
    paths are short.
    """

    lab: str
    host: str
    home: str
    folder: Path
    kernel: Path
    initrd: Path
    disk: Path
    disk_format: str
    accelerator: str

    @property
    def name(self) -> str:
        """Its name on the command line."""
        return f"swarmlab-{self.lab}-{self.host}"

    def file(self, kind: str) -> Path:
        """`kind` is qmp, way (the virtio port), console, disk or json."""
        return self.folder / f"{self.host}.{kind}"


def argv(
    one: Machine,
    *,
    ram: Path | None = None,
    share: bool = False,
    port: int = 0,
    snapshot: bool = False,
    wait: bool = False,
) -> list[str]:
    """QEMU's arguments. `ram` is a file for the memory, `port` of loopback leads to sshd, `wait` for a state to be
    moved in.
    """
    where = (
        f"memory-backend-file,mem-path={_value(ram)},share={'on' if share else 'off'}" if ram else "memory-backend-ram"
    )
    forward = f",hostfwd=tcp:127.0.0.1:{port}-:22" if port else ""
    return [
        *(PROGRAM, "-daemonize", "-nodefaults", "-no-user-config", "-display", "none"),
        *("-name", f"guest={one.name}", "-fw_cfg", f"{HOME_MARK}{one.home}"),
        *("-M", MACHINE, *ACCELERATORS[one.accelerator], "-smp", "1", "-m", str(MEMORY)),
        *("-object", f"{where},id=ram,size={MEMORY}M"),
        *(
            "-kernel",
            str(one.kernel),
            "-initrd",
            str(one.initrd),
            "-append",
            f"{KERNEL_LINE} {RESTORED}" if snapshot else KERNEL_LINE,
        ),
        *("-drive", f"file={_value(one.disk)},format={one.disk_format},if=virtio,cache=unsafe"),
        *(
            "-netdev",
            f"socket,id=underlay,mcast={segment(one.lab, one.home)},localaddr=127.0.0.1",
            *_nic("underlay", 1),
        ),
        *("-netdev", f"user,id=way,restrict=on,ipv6=off,net={WAY_IN_NET}{forward}", *_nic("way", 2)),
        *("-device", "virtio-serial-pci", "-chardev", f"socket,id=told,path={one.host}.way,server=on,wait=off"),
        *("-device", "virtserialport,chardev=told,name=swarmlab", "-device", "vmgenid,guid=auto"),
        *("-serial", f"file:{one.host}.console", "-qmp", f"unix:{one.host}.qmp,server=on,wait=off"),
        *(("-incoming", "defer") if wait else ()),
    ]


def trial_argv(kernel: Path) -> list[str]:
    """A machine that boots this kernel on KVM, finds no disk and ends."""
    line = "console=ttyS0 panic=-1 net.ifnames=0"
    common = ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio", "-m", "256"]
    return [
        PROGRAM,
        *common,
        "-M",
        MACHINE.replace(",memory-backend=ram", ""),
        *ACCELERATORS["kvm"],
        "-kernel",
        str(kernel),
        "-append",
        line,
    ]


def segment(lab: str, home: str) -> str:
    """The lab's layer-2 segment: a multicast group and port of its own, which QEMU is told to use on loopback only.

    >>> segment("three-tier", "0123456789ab")
    '239.254.35.80:25871'
    """
    digest = hashlib.sha256(f"{home}/{lab}".encode()).digest()
    return f"239.{192 + digest[0] % 64}.{digest[1]}.{digest[2]}:{20000 + int.from_bytes(digest[3:5], 'big') % 12000}"


def mac(home: str, lab: str, number: int) -> str:
    """The underlay address of host NUMBER (0: outside the Swarm): locally administered, the same for as long as the lab
    lives.

    >>> mac("0123456789ab", "three-tier", 3)[:8]
    '52:54:00'
    """
    digest = hashlib.sha256(f"{home}/{lab}".encode()).digest()
    return f"52:54:00:{digest[5]:02x}:{digest[6]:02x}:{number % 256:02x}"


def _nic(netdev: str, number: int) -> list[str]:
    return ["-device", f"virtio-net-pci,netdev={netdev},mac={PLACEHOLDER}{number:02x},romfile="]


def _value(path: Path) -> str:
    """In an option's value QEMU takes a comma for its end."""
    return str(path).replace(",", ",,")
