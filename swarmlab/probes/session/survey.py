"""Which addresses endpoints really have, as their own namespaces say: the engine does not know of every one that was
plugged in.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from swarmlab.agent.protocol.probing import Close, EndpointSpec, Interfaces, Open
from swarmlab.errors import HostError
from swarmlab.model.probe import Address, Endpoint
from swarmlab.probes.session.endpoints import WORKLOADS
from swarmlab.probes.session.link import AgentLink
from swarmlab.probes.session.ports import PORTS

SECONDS = 30.0  # for an answer; entering a hundred namespaces takes well under one
Subnets = Mapping[str, Sequence[str]]  # network key -> its subnets
Networks = Sequence[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, str]]


def survey(endpoints: Sequence[Endpoint], agents: Mapping[str, AgentLink], subnets: Subnets) -> tuple[Endpoint, ...]:
    """The endpoints with every IPv4 address that their namespaces have, each put to its network by `subnets`.

    An agent that fails here will fail in the measurement too, and is judged there: its endpoints stay as they are.
    """
    asked: dict[str, list[Endpoint]] = {}
    for endpoint in endpoints:
        if endpoint.role in WORKLOADS and endpoint.pid and endpoint.host in agents:
            asked.setdefault(endpoint.host, []).append(endpoint)
    with ThreadPoolExecutor(max_workers=max(1, len(asked))) as pool:
        answers = pool.map(lambda host: _ask(agents[host], asked[host]), asked)
        found = {id_: interfaces for answer in answers for id_, interfaces in answer.items()}
    networks = [(ipaddress.ip_network(s), key) for key, all_ in subnets.items() for s in all_]
    return tuple(replace(e, addresses=(*e.addresses, *_more(e, found.get(e.id, {}), networks))) for e in endpoints)


def _ask(agent: AgentLink, endpoints: Iterable[Endpoint]) -> dict[str, Interfaces]:
    wanted = tuple(EndpointSpec(e.id, e.pid, e.container, e.path) for e in endpoints)
    try:
        answer = agent.request(Open(secrets.token_hex(8), secrets.choice(PORTS), wanted), SECONDS)
        agent.request(Close(), SECONDS)
    except HostError:
        return {}
    return {told.id: told.interfaces for told in answer.endpoints}


def _more(endpoint: Endpoint, interfaces: Interfaces, networks: Networks) -> Iterable[Address]:
    """Those that the engine did not tell. The loopback's are nobody's but its own."""
    known = {a.address for a in endpoint.addresses}
    for interface, texts in interfaces.items():
        for text in texts if interface != "lo" else ():
            address = text.partition("/")[0]
            if ":" not in address and address not in known:
                yield Address(address, _network(address, networks) or interface, interface)


def _network(address: str, networks: Networks) -> str:
    parsed = ipaddress.ip_address(address)
    return next((key for network, key in networks if parsed in network), "")
