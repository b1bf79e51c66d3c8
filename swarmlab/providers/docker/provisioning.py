"""The steps in which the docker provider makes and unmakes things; each is safe to repeat."""

from __future__ import annotations

from ipaddress import IPv4Network

import docker
import docker.errors
from docker.models.containers import Container
from docker.models.networks import Network
from docker.models.volumes import Volume
from docker.types import IPAMConfig, IPAMPool

from swarmlab.errors import ProviderError, SwarmRefused
from swarmlab.providers import underlay
from swarmlab.providers.base import HostsWanted
from swarmlab.providers.docker.container import HOME, LAB, ContainerHost, config, has_modules, labels, published_port
from swarmlab.providers.docker.linux_capabilities import drops_to_try
from swarmlab.providers.docker.local_engine import asked
from swarmlab.providers.lab_keys import LabKeys
from swarmlab.remote import until

OVERLAP = ("overlaps with other one", "invalid pool request", "address space")
NO_CAPABILITY = ("unable to apply caps", "operation not permitted", "capabilit")

Thing = Container | Network | Volume


def refuse_strangers(client: docker.DockerClient, wanted: HostsWanted) -> None:
    """SwarmRefused when a thing of this lab's name belongs to another state directory, or was not made by swarmlab."""
    names = {f"swarmlab-{wanted.lab}", *(f"swarmlab-{wanted.lab}-{name}" for name in wanted.machines)}
    refuse_other_homes(client, wanted.lab, wanted.home)
    for thing in _everything(client):
        if thing.name in names and _labels(thing).get(LAB) != wanted.lab:
            text = f"{kind(thing)} {thing.name} is in the way, and swarmlab did not make it"
            raise SwarmRefused(text, fix="rename it, or choose another --name")


def refuse_other_homes(client: docker.DockerClient, lab: str, home: str) -> None:
    """SwarmRefused when a lab of this name belongs to another state directory."""
    for thing in _everything(client):
        marks = _labels(thing)
        if marks.get(LAB) == lab and marks.get(HOME) != home:
            raise SwarmRefused(
                f"{kind(thing)} {thing.name} belongs to a lab `{lab}` of another SWARMLAB_HOME; it is left alone",
                fix=f"choose another --name, or run `swarmlab down {lab}` with the SWARMLAB_HOME that made it",
            )


def _everything(client: docker.DockerClient) -> list[Thing]:
    return [*client.containers.list(all=True, ignore_removed=True), *client.networks.list(), *client.volumes.list()]


def underlay_network(client: docker.DockerClient, wanted: HostsWanted) -> IPv4Network:
    """The subnet of the lab's bridge; the network is made when it is missing."""
    with asked("make the underlay network"):
        for network in client.networks.list(names=[f"swarmlab-{wanted.lab}"], filters={"label": f"{LAB}={wanted.lab}"}):
            return IPv4Network(network.attrs["IPAM"]["Config"][0]["Subnet"])
        taken = [*underlay.routed(), *underlay.networks(wanted.avoid), *_subnets(client)]
        for subnet in underlay.free_subnets(taken):
            if _made(client, wanted, subnet):
                return subnet
    pools = " and ".join(map(str, underlay.POOLS))
    raise ProviderError(
        f"no free subnet for the underlay in {pools}", fix="take down a lab, or remove networks that nobody uses"
    )


def _made(client: docker.DockerClient, wanted: HostsWanted, subnet: IPv4Network) -> bool:
    """Make the network; False when the subnet is in use already, as another lab may have been quicker."""
    ipam = IPAMConfig(pool_configs=[IPAMPool(subnet=str(subnet), gateway=str(subnet[1]))])
    try:
        client.networks.create(
            f"swarmlab-{wanted.lab}",
            driver="bridge",
            ipam=ipam,
            check_duplicate=True,
            labels=labels(wanted.lab, wanted.home),
        )
    except docker.errors.APIError as error:
        if any(words in str(error.explanation).lower() for words in OVERLAP):
            return False
        raise
    return True


def _subnets(client: docker.DockerClient) -> list[IPv4Network]:
    pools = [
        pool for network in client.networks.list() for pool in (network.attrs.get("IPAM") or {}).get("Config") or []
    ]
    return underlay.networks(str(pool.get("Subnet", "")) for pool in pools)


def running(client: docker.DockerClient, one: ContainerHost, keys: LabKeys) -> int:
    """Have this host's container run; the loopback port of its sshd."""
    with asked(f"start {one.name}"):
        found = _existing(client, one)
        if found is None:
            found = _first_start(client, one, keys)
        elif found.status != "running" or one.host in keys.fresh:
            _start_again(found, keys.archive(one.host))
        return until(lambda: _port(found), f"{one.name} has a published port", 10, last=lambda: str(found.status))


def _existing(client: docker.DockerClient, one: ContainerHost) -> Container | None:
    try:
        found = client.containers.get(one.name)
    except docker.errors.NotFound:
        return None
    if found.labels.get("io.swarmlab.engine") != one.engine:
        has = found.labels.get("io.swarmlab.engine")
        fix = f"keep it with --engine {one.host}={has}, or `swarmlab down {one.lab}` first; nothing was changed"
        raise ProviderError(f"{one.host}: runs engine {has}, {one.engine} is wanted", fix=fix)
    if found.status in ("created", "dead", "removing"):  # it never ran, or never will: cheaper to make than to mend
        remove(found)
        return None
    return found


def _first_start(client: docker.DockerClient, one: ContainerHost, keys: LabKeys) -> Container:
    for volume in one.volumes:
        client.volumes.create(volume, labels=one.labels)
    drops = drops_to_try()
    for attempt, drop in enumerate(drops, start=1):
        body = config(one, drop, modules=has_modules(client.api.base_url))
        made = client.containers.get(client.api.create_container_from_config(body, one.name)["Id"])  # type: ignore[no-untyped-call]
        made.put_archive("/", keys.archive(one.host))
        try:
            made.start()
        except docker.errors.APIError as error:
            made.remove(force=True)
            if attempt == len(drops) or not any(words in str(error.explanation).lower() for words in NO_CAPABILITY):
                raise
        else:
            return made
    raise AssertionError("drops_to_try is never empty")


def _start_again(found: Container, archive: bytes) -> None:
    if found.status == "paused":
        found.unpause()
    if found.status != "exited":
        found.kill()
        found.wait(timeout=20)
    found.put_archive("/", archive)
    found.start()


def _port(found: Container) -> int | None:
    found.reload()
    return published_port(found.attrs) or None


def remove(thing: Thing) -> None:
    """Remove by force. That somebody else removed it, or is doing so, is as good."""
    try:
        if isinstance(thing, Container):
            thing.remove(force=True, v=True)
        elif isinstance(thing, Volume):
            thing.remove(force=True)
        else:
            thing.remove()
    except docker.errors.NotFound:
        return
    except docker.errors.APIError as error:
        if "already in progress" not in str(error.explanation):
            raise
        # What it holds (volumes, an address) is free only when it is gone.
        until(lambda: _gone(thing), f"{kind(thing)} {thing.name} is removed", 30)


def _gone(thing: Thing) -> bool:
    try:
        thing.reload()
    except docker.errors.NotFound:
        return True
    return False


def _labels(thing: Thing) -> dict[str, str]:
    return dict((thing.labels if isinstance(thing, Container) else thing.attrs.get("Labels")) or {})


def kind(thing: Thing) -> str:
    """container, network or volume."""
    return type(thing).__name__.lower()
