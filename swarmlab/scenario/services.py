"""The `services:` section of a Compose file, as far as networks, names and ports depend on it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from swarmlab.model.scenario import Network, Service
from swarmlab.scenario.complaints import quoted, unknown
from swarmlab.scenario.fields import Fields
from swarmlab.scenario.keys import DEPLOY_KEYS, SERVICE_KEYS
from swarmlab.scenario.names import DEFAULT_NETWORK, DNS_NAME, LABEL, STAND_IN_IMAGE
from swarmlab.scenario.ports import read_ports
from swarmlab.scenario.tree import Items, Scalar, Table, is_null

MODES = ("replicated", "global", "replicated-job", "global-job")
ENDPOINT_MODES = ("vip", "dnsrr")
MOST_REPLICAS = 1000


def read_services(root: Fields, networks: dict[str, Network], *, stand_in: bool) -> dict[str, Service]:
    """Every service by its name; adds the implicit network `default` to `networks` if one uses it."""
    services: dict[str, Service] = {}
    for key, fields in root.tables("services"):
        if key.text.startswith("x-"):
            continue
        if not re.fullmatch(LABEL, key.text):
            text = "letters, digits, _ and - only (not at the ends), at most 63"
            root.complaints.add(key.place, f"{quoted(key.text)} is no name for a service: {text}")
            continue
        service = _service(key, Fields(fields.table, f"service {key.text}", fields.complaints), networks, stand_in)
        services[key.text] = service
        if DEFAULT_NETWORK in service.networks:
            networks.setdefault(DEFAULT_NETWORK, Network(DEFAULT_NETWORK))
    if not services and not root.complaints.items:
        root.complaints.add(
            root.table.place_of("services"), "no services: `docker stack deploy` needs at least one under `services:`"
        )
    return services


def _service(key: Scalar, fields: Fields, networks: Mapping[str, Network], stand_in: bool) -> Service:
    fields.refuse_misspelt(SERVICE_KEYS)
    mode, endpoint_mode, replicas = _deploy(fields)
    return Service(
        name=key.text,
        image=STAND_IN_IMAGE if stand_in else _image(key, fields),
        networks=_attachments(fields, networks),
        replicas=None if mode.startswith("global") else replicas,
        endpoint_mode=endpoint_mode,
        ports=read_ports(fields),
        place=key.place,
    )


def _image(key: Scalar, fields: Fields) -> str:
    image = fields.text("image")
    if image:
        return image
    if fields.table.get("build") is not None:
        place = fields.table.place_of("build")
        fields.complaints.add(place, f"{fields.where}: Swarm cannot build images: add `image:`, or use --stand-in")
    elif "image" not in fields.table.entries or is_null(fields.table.get("image")):
        fields.complaints.add(key.place, f"{fields.where}: `image:` is missing")
    return ""


def _deploy(fields: Fields) -> tuple[str, str, int]:
    deploy = fields.sub("deploy")
    if deploy is None:
        return "replicated", "vip", 1
    deploy.refuse_misspelt(DEPLOY_KEYS)
    replicas = deploy.number("replicas", 0, MOST_REPLICAS)
    return (
        _choice(deploy, "mode", MODES),
        _choice(deploy, "endpoint_mode", ENDPOINT_MODES),
        1 if replicas is None else replicas,
    )


def _choice(fields: Fields, key: str, known: tuple[str, ...]) -> str:
    """One of a few words, the first if absent or wrong."""
    text = fields.text(key)
    if text and text not in known:
        node = fields.table.get(key)
        fields.complaints.add(node.place if node else None, f"{fields.where}: " + unknown(key, text, known))
    return text if text in known else known[0]


def _attachments(fields: Fields, networks: Mapping[str, Network]) -> dict[str, tuple[str, ...]]:
    """Network keys -> aliases, of both forms; without any the service is on `default`, as in Compose."""
    node = fields.table.get("networks")
    found: dict[str, tuple[str, ...]] = {}
    if isinstance(node, Items):
        for child in node.items:
            if isinstance(child, Scalar) and not is_null(child):
                _attach(found, child, (), fields, networks)
            else:
                fields.complaints.add(child.place, f"{fields.where}: networks: expected a network's name")
    elif isinstance(node, Table):
        for key, inside in fields.tables("networks"):
            _attach(found, key, tuple(_aliases(inside)), fields, networks)
    elif node is not None and not is_null(node):
        fields.complaints.add(node.place, f"{fields.where}: networks: expected a list or a mapping of networks")
    return found or {DEFAULT_NETWORK: ()}


def _aliases(fields: Fields) -> Iterator[str]:
    for place, text in fields.texts("aliases"):
        if re.fullmatch(DNS_NAME, text):
            yield text
        else:
            wanted = "letters, digits, _ - and dots between"
            fields.complaints.add(place, f"{fields.where}: {quoted(text)} is no name that can be asked for: {wanted}")


def _attach(
    found: dict[str, tuple[str, ...]],
    key: Scalar,
    aliases: tuple[str, ...],
    fields: Fields,
    networks: Mapping[str, Network],
) -> None:
    if key.text not in networks and key.text != DEFAULT_NETWORK:
        fields.complaints.add(key.place, f"{fields.where}: " + unknown("network", key.text, networks, "declared"))
    found[key.text] = tuple(dict.fromkeys(aliases))
