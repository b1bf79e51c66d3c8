"""The `networks:` section of a Compose file, with the semantics that `docker stack deploy` gives it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from swarmlab.errors import Place
from swarmlab.model.scenario import Network
from swarmlab.scenario.complaints import Complaints, quoted
from swarmlab.scenario.fields import Fields
from swarmlab.scenario.keys import NETWORK_KEYS
from swarmlab.scenario.names import LOCAL_DRIVERS, PREDEFINED
from swarmlab.scenario.tree import Node, Scalar, Table, is_null, scalar_value

NAME = re.compile(r"[a-zA-Z0-9._-]{1,63}")  # of services and networks, as the Compose schema has it, and bounded


def read_networks(root: Fields) -> dict[str, Network]:
    """Every declared network by its key."""
    networks: dict[str, Network] = {}
    for key, fields in root.tables("networks"):
        if key.text.startswith("x-"):
            continue
        if not NAME.fullmatch(key.text):
            root.complaints.add(key.place, f"{quoted(key.text)} is no name for a network: letters, digits, . _ - only")
            continue
        networks[key.text] = _network(key, Fields(fields.table, f"network {key.text}", fields.complaints))
    return networks


def _network(key: Scalar, fields: Fields) -> Network:
    fields.refuse_misspelt(NETWORK_KEYS)
    external, name = _external(fields)
    if external and not name:
        name = key.text
    driver = fields.text("driver") or "overlay"
    if external and name in PREDEFINED:
        driver = name
    elif driver in LOCAL_DRIVERS and not external:
        fields.complaints.add(
            fields.table.place_of("driver"),
            f"network {key.text}: the driver {driver} makes a network of one host only, and Swarm refuses it to "
            f"services; use overlay, or declare it under `local_networks:` of `x-swarmlab`",
        )
    return Network(
        key=key.text, name=name, driver=driver, external=external, place=key.place, internal=fields.truth("internal"),
        attachable=fields.truth("attachable"), options=_options(fields), subnets=_subnets(fields),
    )  # fmt: skip


def _external(fields: Fields) -> tuple[bool, str]:
    """Whether it is external, and its name: `external: true` with `name:`, or the older `external: {name: …}`."""
    node = fields.table.get("external")
    name = fields.text("name")
    if isinstance(node, Table):
        return True, Fields(node, fields.where, fields.complaints).text("name") or name
    return fields.truth("external"), name


def _options(fields: Fields) -> Mapping[str, str]:
    inside = fields.sub("driver_opts")
    options: dict[str, str] = {}
    for key, node in inside.table.pairs() if inside else ():
        if _is_option(node):
            assert isinstance(node, Scalar)
            options[key.text] = node.text
        else:
            text = 'Docker takes text or a number here; write "true" or "" with quotes'
            fields.complaints.add(node.place, f"{fields.where}: driver_opts: {key.text}: {text}")
    return options


def _is_option(node: Node) -> bool:
    return (
        isinstance(node, Scalar)
        and not is_null(node)
        and not isinstance(scalar_value(node), bool)
        and node.text.isprintable()
    )


def _subnets(fields: Fields) -> tuple[str, ...]:
    ipam = fields.sub("ipam")
    found: list[str] = []
    for node in ipam.items("config") if ipam else ():
        if not isinstance(node, Table):
            fields.complaints.add(
                node.place, f"{fields.where}: ipam: config: expected a list of mappings with `subnet:`"
            )
            continue
        inside = Fields(node, fields.where, fields.complaints)
        text, place = inside.text("subnet"), node.get("subnet")
        if text and place and check_subnet(text, place.place, fields.where, fields.complaints):
            found.append(text)
    return tuple(found)


def check_subnet(text: str, place: Place | None, where: str, complaints: Complaints) -> bool:
    """Whether this is a subnet as engines take it; complains if not, with the one that was probably meant."""
    try:
        interface = ipaddress.ip_interface(text)
    except ValueError:
        complaints.add(
            place, f"{where}: {quoted(text)} is not a subnet; expected an address and a prefix length, like 10.9.0.0/24"
        )
        return False
    if "/" not in text:
        complaints.add(place, f"{where}: {quoted(text)} has no prefix length; expected something like {text}/24")
        return False
    if interface.ip != interface.network.network_address:
        complaints.add(place, f"{where}: {quoted(text)} has host bits set; did you mean {interface.network}?")
        return False
    return True
