"""Provisioning one lab's machines: restore what never ran, boot what ran before, leave alone what runs."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from swarmlab.errors import DeadlinePassed, ProviderError
from swarmlab.providers import underlay
from swarmlab.providers.base import HostsWanted
from swarmlab.providers.lab_keys import LabKeys
from swarmlab.providers.qemu import processes, snapshot
from swarmlab.providers.qemu.identity import identity
from swarmlab.providers.qemu.machine import Machine, argv
from swarmlab.providers.qemu.snapshot import Snapshot
from swarmlab.providers.qemu.sockets import lines, monitor
from swarmlab.remote import until
from swarmlab.remote.keys import write_private

FOLDER = "vm"  # in the lab's directory
NAMED = {"kvm": 60.0, "tcg": 300.0}  # seconds; emulated, 2 after a restore and 30 after a boot
READY = {"kvm": 60.0, "tcg": 300.0}
PATIENCE = 20.0  # seconds for what passes
# Another program takes the port that was just found free; a killed QEMU has left the process table, but not yet let go
# of its disk.
PASSING = ("host forwarding", 'Failed to get "write" lock')


@dataclass(frozen=True)
class MachineSet:
    """What the machines of one lab have in common."""

    wanted: HostsWanted
    subnet: IPv4Network
    keys: LabKeys
    folder: Path

    def note(self, host: str) -> Path:
        """Written when the host is ready: the port of its sshd, and the saved state that its disk lies over."""
        return self.folder / f"{host}.json"


def machines(wanted: HostsWanted, keys: LabKeys) -> MachineSet:
    """The lab's, with the subnet that it has or gets."""
    folder = wanted.directory / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = folder / "underlay"
    if not kept.exists():
        # Only this lab's guests see it, so it may be another lab's too.
        taken = [*underlay.routed(), *underlay.networks(wanted.avoid)]
        write_private(kept, str(next(underlay.free_subnets(taken))))
    return MachineSet(wanted, IPv4Network(kept.read_text(encoding="ascii")), keys, folder)


def ready(one: MachineSet, host: str, saved: Snapshot) -> int:
    """Have this host run under its identity; the loopback port of its sshd."""
    running = [p for p in processes.machines(one.wanted.home, one.wanted.lab) if p.host == host]
    known = _known(one.note(host))
    if known and str(known.get("warm")) != saved.path.name:
        raise ProviderError(
            f"{host}: runs from {known.get('warm')}, {saved.path.name} is wanted",
            fix=f"swarmlab down {one.wanted.lab}, then up",
        )
    if running and known and host not in one.keys.fresh:
        with monitor(one.folder / f"{host}.qmp") as tell:
            tell("cont")  # whoever paused it
        return int(str(known["port"]))
    processes.kill(running)
    machine = snapshot.machine(one.wanted, host, saved, one.folder, one.folder / f"{host}.qcow2")
    port = _started(machine, saved, again=bool(known))
    _introduce(one, machine)
    write_private(one.note(host), json.dumps({"port": port, "warm": saved.path.name}))
    return port


def _started(machine: Machine, saved: Snapshot, *, again: bool) -> int:
    """Its port. `again`: it was somebody already, so its disk is booted; a saved memory would not know what is on
    it.
    """
    if not again:
        machine.disk.unlink(missing_ok=True)
        snapshot.make_disk(machine.disk, saved.image, "qcow2")
    said: list[str] = []

    def attempt() -> int | None:
        port = _free_port()
        try:
            if again:
                snapshot.start(machine, argv(machine, port=port))
            else:
                snapshot.restore(machine, saved, port)
        except ProviderError as error:
            if not any(words in error.message for words in PASSING):
                raise
            said[:] = [error.message]
            return None
        return port

    return until(attempt, f"{machine.host} starts", PATIENCE, 0.1, lambda: said[0])


def _introduce(one: MachineSet, machine: Machine) -> None:
    """Tell the guest who it is; it answers twice."""
    with lines(machine.file("way")) as way:
        way.send(identity(one.wanted, machine.host, one.subnet, one.keys))
        for answer, patience in (("named", NAMED), ("ok", READY)):
            try:
                said = way.receive(patience[machine.accelerator])
            except (ProviderError, DeadlinePassed) as error:
                told = snapshot.last_line(machine.file("console"))
                raise ProviderError(
                    f"{machine.host}: {error.message}; its console says: {told or 'nothing'}", fix=error.fix
                ) from error
            if said != answer:
                raise ProviderError(f"{machine.host}: its guest said {said[:80]!r} in place of {answer!r}")


def _known(note: Path) -> dict[str, object]:
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
