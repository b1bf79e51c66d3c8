"""Hosts as virtual machines, each with a kernel of its own: on KVM where it boots a guest, emulated where it does
not.
"""

from __future__ import annotations

from swarmlab.errors import ProviderError
from swarmlab.events import Bus
from swarmlab.model.host import OUTSIDE, Host, SshEndpoint
from swarmlab.providers import underlay
from swarmlab.providers.base import Greeting, HostsWanted, Problem
from swarmlab.providers.images.machine import MachineRecipe, machine_recipes
from swarmlab.providers.lab_keys import lab_keys
from swarmlab.providers.qemu import disk as qemu_disk
from swarmlab.providers.qemu import fitness as qemu_fitness
from swarmlab.providers.qemu import hosts as qemu_hosts
from swarmlab.providers.qemu import processes as qemu_processes
from swarmlab.providers.qemu import snapshot as qemu_snapshot
from swarmlab.providers.qemu.kvm import why_not_kvm
from swarmlab.providers.qemu.snapshot import Snapshot
from swarmlab.remote import fan_out


class QemuProvider:
    """Machines. Their processes carry the lab's name and the home's id; their files are all in the lab's directory, and
    go with it.
    """

    name = "qemu"

    def __init__(self) -> None:
        self._saved: dict[str, Snapshot] = {}

    def fitness(self) -> list[Problem]:
        """Why machines cannot be made here."""
        return qemu_fitness.problems()

    def prepare(self, wanted: HostsWanted, bus: Bus) -> None:
        """Have a saved state for each engine and kernel that is asked for."""
        recipes = sorted(set(_recipes(wanted).values()), key=lambda recipe: (recipe.tag, recipe.kernel))
        if all(recipe.tag in self._saved for recipe in recipes):
            return
        images = qemu_disk.cache(wanted.directory)
        with qemu_disk.alone(images):
            for recipe in recipes:
                disk = qemu_disk.ensure(recipe, wanted.directory, bus)
                self._saved[recipe.tag] = qemu_snapshot.ensure(
                    disk, _accelerator(disk, bus, first=not self._saved), wanted, bus
                )

    def create(self, wanted: HostsWanted, bus: Bus, greet: Greeting) -> list[Host]:
        """Have the hosts run and answer. Their guests say by themselves when they are ready: nobody is greeted."""
        if not 1 <= wanted.count <= underlay.MAX_HOSTS:
            raise ProviderError(
                f"{wanted.count} hosts were asked for; the underlay has room for 1 to {underlay.MAX_HOSTS}"
            )
        self.prepare(wanted, bus)
        running = {one.host for one in qemu_processes.machines(wanted.home, wanted.lab)}
        qemu_fitness.refuse_too_many(len(set(wanted.machines) - running))
        with bus.phase("hosts", f"{wanted.count} machines") as phase:
            machines = qemu_hosts.machines(wanted, lab_keys(wanted.directory, wanted.machines))
            phase(f"underlay {machines.subnet}: waiting for sshd and dockerd", 0, wanted.count)
            recipes = _recipes(wanted)
            recipes[OUTSIDE] = recipes[wanted.names[0]]  # of which it has the kernel only
            ports = fan_out(
                wanted.machines, lambda host: qemu_hosts.ready(machines, host, self._saved[recipes[host].tag])
            )
            machines.keys.pin(ports)
        return [_host(machines, host, port) for host, port in ports.items()]

    def destroy(self, lab: str, home: str) -> list[str]:
        """End the lab's machines. Another home's lab of this name shares nothing with it and is not seen."""
        found = qemu_processes.machines(home, lab)
        qemu_processes.kill(found)
        return [f"machine swarmlab-{lab}-{one.host}" for one in found]

    def found(self, home: str) -> dict[str, list[str]]:
        """Labs whose machines run."""
        labs: dict[str, list[str]] = {}
        for one in qemu_processes.machines(home):
            labs.setdefault(one.lab, []).append(one.host)
        return labs


def _recipes(wanted: HostsWanted) -> dict[str, MachineRecipe]:
    return machine_recipes(wanted.engine, wanted.kernel, wanted.names)


def _accelerator(disk: qemu_disk.Disk, bus: Bus, *, first: bool) -> str:
    why = why_not_kvm(disk.kernel, disk.path.parent)
    if first:
        bus.info(f"machines are emulated, which takes several times as long: {why}" if why else "machines run on KVM")
    return "tcg" if why else "kvm"


def _host(machines: qemu_hosts.MachineSet, host: str, port: int) -> Host:
    endpoint = SshEndpoint("127.0.0.1", port, "root", machines.keys.identity, machines.keys.known_hosts)
    return Host(host, str(underlay.address_of(machines.subnet, host)), endpoint)
