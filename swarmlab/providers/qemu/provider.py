"""Hosts as virtual machines with kernels of their own: on KVM where it boots a guest, emulated where it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from swarmlab.events import Bus
from swarmlab.model.host import OUTSIDE, Host, SshEndpoint, numbered
from swarmlab.model.kinds import ESP, IPVS
from swarmlab.providers import underlay
from swarmlab.providers.base import Asking, Availability, Greeting, HostsWanted, Problem
from swarmlab.providers.images.machine import MachineRecipe, machine_recipes
from swarmlab.providers.lab_keys import lab_keys
from swarmlab.providers.qemu import disk, fitness, hosts, processes, snapshot
from swarmlab.providers.qemu.kvm import why_not_kvm
from swarmlab.providers.qemu.snapshot import Snapshot
from swarmlab.remote import fan_out


class QemuProvider:
    """Machines. Their processes carry the lab's name and the home's id; their files are all in the lab's directory, and
    go with it.
    """

    name = "qemu"
    most = None  # how many fit into memory is known when they are made

    def __init__(self) -> None:
        self._saved: dict[str, Snapshot] = {}

    def host_names(self, count: int) -> tuple[str, ...]:
        """host1, host2, …"""
        return numbered(count)

    def software(self, engine: str, kernel: str, hosts: Sequence[str]) -> dict[str, dict[str, str]]:
        """Each host's engine and kernel."""
        return {host: recipe.runs for host, recipe in machine_recipes(engine, kernel, hosts).items()}

    def fitness(self) -> list[Problem]:
        """Why machines cannot be made here."""
        return fitness.problems()

    def features(self, asking: Asking | None) -> Mapping[str, Availability]:
        """All that a scenario can need; no kernel has to be asked."""
        return dict.fromkeys((ESP, IPVS), Availability(True, "its hosts boot Debian's own kernel, which has it"))

    def prepare(self, wanted: HostsWanted, bus: Bus) -> None:
        """Have a saved state for each engine and kernel that is asked for."""
        recipes = sorted(set(_recipes(wanted).values()), key=lambda recipe: (recipe.tag, recipe.kernel))
        if all(recipe.tag in self._saved for recipe in recipes):
            return
        with disk.alone(disk.cache(wanted.directory)):
            for recipe in recipes:
                made = disk.ensure(recipe, wanted.directory, bus)
                accelerator = _accelerator(made, bus, first=not self._saved)
                self._saved[recipe.tag] = snapshot.ensure(made, accelerator, wanted, bus)

    def create(self, wanted: HostsWanted, bus: Bus, greet: Greeting) -> list[Host]:
        """Have the hosts run and answer. Their guests say by themselves when they are ready: nobody is greeted."""
        underlay.refuse_no_room(wanted)
        self.prepare(wanted, bus)
        running = {one.host for one in processes.machines(wanted.home, wanted.lab)}
        fitness.refuse_too_many(len(set(wanted.machines) - running))
        with bus.phase("hosts", f"{len(wanted.names)} machines") as phase:
            machines = hosts.machines(wanted, lab_keys(wanted.directory, wanted.machines))
            phase(f"underlay {machines.subnet}: waiting for sshd and dockerd", 0, len(wanted.names))
            recipes = _recipes(wanted)
            recipes[OUTSIDE] = recipes[wanted.names[0]]  # of which it has the kernel only
            ports = fan_out(wanted.machines, lambda host: hosts.ready(machines, host, self._saved[recipes[host].tag]))
            machines.keys.pin(ports)
        return [_host(machines, host, port) for host, port in ports.items()]

    def destroy(self, lab: str, home: str) -> list[str]:
        """End the lab's machines. Another home's lab of this name shares nothing with it and is not seen."""
        found = processes.machines(home, lab)
        processes.kill(found)
        return [f"machine swarmlab-{lab}-{one.host}" for one in found]

    def found(self, home: str) -> dict[str, list[str]]:
        """Labs whose machines run."""
        labs: dict[str, list[str]] = {}
        for one in processes.machines(home):
            labs.setdefault(one.lab, []).append(one.host)
        return labs


def _recipes(wanted: HostsWanted) -> dict[str, MachineRecipe]:
    return machine_recipes(wanted.engine, wanted.kernel, wanted.names)


def _accelerator(made: disk.Disk, bus: Bus, *, first: bool) -> str:
    why = why_not_kvm(made.kernel, made.path.parent)
    if first:
        bus.info(f"machines are emulated, which takes several times as long: {why}" if why else "machines run on KVM")
    return "tcg" if why else "kvm"


def _host(machines: hosts.MachineSet, host: str, port: int) -> Host:
    endpoint = SshEndpoint("127.0.0.1", port, "root", machines.keys.identity, machines.keys.known_hosts)
    return Host(host, str(underlay.address_of(machines.subnet, machines.wanted.number_of(host))), endpoint)
