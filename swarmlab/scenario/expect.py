"""`x-swarmlab.expect`: explicit expectations, checked, and laid over the derived ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from swarmlab.errors import Place
from swarmlab.model.expectation import PROTOCOLS, Expectation, option
from swarmlab.model.host import OUTSIDE
from swarmlab.model.kinds import DENY, About, Kind
from swarmlab.model.scenario import GATEWAY_BRIDGE, Container, LocalNetwork, Network, Service
from swarmlab.scenario.block import NetworkSpec, PairSpec
from swarmlab.scenario.complaints import Complaints, quoted, unknown
from swarmlab.scenario.derive_publish import laid_over, wrong
from swarmlab.scenario.tree import Node, place_at

# What narrows an expectation down; "" or 0 in an explicit one means "any".
NARROWING = ("network", "protocol", "port", "name")


@dataclass
class Explicit:
    """Reads the entries. `node` is the `expect:` list in the file."""

    node: Node | None
    complaints: Complaints
    services: Mapping[str, Service]
    networks: Mapping[str, Network]
    local_networks: Mapping[str, LocalNetwork]
    containers: Mapping[str, Container]

    def read(self, entries: Sequence[PairSpec | NetworkSpec]) -> list[Expectation]:
        """All of them, in the order of the file, contradictions complained about."""
        found: list[Expectation] = []
        for index, entry in enumerate(entries):
            if isinstance(entry, PairSpec):
                found += self._pair(index, entry)
            else:
                found += self._network(index, entry)
        self._check_contradictions(found)
        return found

    def _place(self, index: int, *path: str) -> Place | None:
        return place_at(self.node, index, *path)

    def _pair(self, index: int, entry: PairSpec) -> Iterator[Expectation]:
        parties: dict[str, Service | Container] = {**self.services, **self.containers}
        if entry.source == OUTSIDE and OUTSIDE not in parties:
            yield from self._from_outside(index, entry)
            return
        good = True
        for key, name in (("from", entry.source), ("to", entry.target)):
            if name not in parties:
                good = False
                text = unknown("service or container", name, parties)
                self.complaints.add(self._place(index, key), f"x-swarmlab.expect[{index + 1}].{key}: {text}")
        if not good or not self._check_network(index, entry, parties):
            return
        kind = next(kind for kind in Kind if kind.row.about is About.PAIR and getattr(entry, str(kind), None))
        protocol = entry.protocol or ("tcp" if entry.port else "")
        yield Expectation(
            kind=kind,
            expected=getattr(entry, str(kind)),
            because=entry.because,
            source=entry.source,
            target=entry.target,
            network=entry.network,
            protocol=protocol,
            port=entry.port,
            name=entry.asked,
            derived=False,
            place=self._place(index),
        )

    def _from_outside(self, index: int, entry: PairSpec) -> Iterator[Expectation]:
        protocol, expected = entry.protocol or "tcp", entry.reach or ""
        service = self.services.get(entry.target)
        if service is None:
            key, text = "to", unknown("service", entry.target, self.services)
        elif not expected or entry.network:
            key, text = "from", "from outside there is `reach` only, and no `network`"
        else:
            key, text = "port", wrong(service.name, service.ports, protocol, entry.port, expected)
        if text:
            self.complaints.add(self._place(index, key), f"x-swarmlab.expect[{index + 1}].{key}: {text}")
            return
        place = self._place(index)
        yield Expectation(
            kind=Kind.PUBLISH,
            expected=expected,
            because=entry.because,
            source=OUTSIDE,
            target=entry.target,
            network="",
            protocol=protocol,
            port=entry.port,
            derived=False,
            place=place,
        )

    def _check_network(self, index: int, entry: PairSpec, parties: Mapping[str, Service | Container]) -> bool:
        key, where = entry.network, f"x-swarmlab.expect[{index + 1}].network"
        if not key or (key == GATEWAY_BRIDGE and entry.reach):
            return True
        place = self._place(index, "network")
        if key not in self.networks and key not in self.local_networks:
            self.complaints.add(place, f"{where}: " + unknown("network", key, [*self.networks, *self.local_networks]))
            return False
        on = parties[entry.target].networks
        if key not in on:
            self.complaints.add(place, f"{where}: {entry.target} is not on {key}; it is on {', '.join(sorted(on))}")
            return False
        if entry.scope and (key not in self.local_networks or key not in parties[entry.source].networks):
            text = f"`scope` is about a network under local_networks that both are on; {quoted(key)} is not one"
            self.complaints.add(place, f"{where}: {text}")
            return False
        return True

    def _network(self, index: int, entry: NetworkSpec) -> Iterator[Expectation]:
        if entry.network not in self.networks:
            text = unknown("network", entry.network, self.networks, "networks of the stack")
            self.complaints.add(self._place(index, "network"), f"x-swarmlab.expect[{index + 1}].network: {text}")
            return
        about = partial(
            Expectation, because=entry.because, network=entry.network, derived=False, place=self._place(index)
        )
        for kind in (kind for kind in Kind if kind.row.about is About.NETWORK and kind.row.values):
            if expected := getattr(entry, str(kind), None):
                yield about(kind=kind, expected=expected)
        held: dict[str, str | bool | None] = {
            "driver": entry.driver,
            "scope": entry.scope,
            "internal": entry.internal,
            "attachable": entry.attachable,
            "encrypted": entry.encrypted,
            "subnets": entry.subnet,
            **{option(key): text for key, text in entry.options.items()},
        }
        for name, value in held.items():
            if value is not None:
                text = str(value).lower() if isinstance(value, bool) else value
                yield about(kind=Kind.NETWORK, expected=text, name=name)

    def _check_contradictions(self, found: Sequence[Expectation]) -> None:
        groups: dict[tuple[object, ...], list[Expectation]] = {}
        for later in found:
            group = groups.setdefault((later.kind, later.source, later.target), [])
            earlier = next(
                (e for e in group if e.expected != later.expected and _overlap(e, later) and not _ranked(e, later)),
                None,
            )
            if earlier is not None:
                text = f"contradiction: {_said(later)} here, but {_said(earlier)} at {earlier.place}"
                self.complaints.add(later.place, f"x-swarmlab.expect: {text}")
            group.append(later)


def _said(e: Expectation) -> str:
    if e.kind.row.about is About.NETWORK:
        return f"{e.network} {e.name or e.kind} {e.expected}"
    return f"{e.source} → {e.target} {e.kind} {e.expected}"


def _narrow(e: Expectation) -> dict[str, object]:
    return {key: getattr(e, key) for key in NARROWING if getattr(e, key)}


def _overlap(a: Expectation, b: Expectation) -> bool:
    """Whether both say something about the same thing."""
    first, second = _narrow(a), _narrow(b)
    if ("port" in first) != ("port" in second):
        return False  # an application's port stands beside the lab's own, it is another measurement
    return all(first[key] == second[key] for key in first.keys() & second.keys())


def _ranked(a: Expectation, b: Expectation) -> bool:
    """Whether one is narrower than the other, which then decides."""
    first, second = _narrow(a).keys(), _narrow(b).keys()
    return first < second or second < first


def overlay(derived: Sequence[Expectation], explicit: Sequence[Expectation]) -> list[Expectation]:
    """The derived expectations with the explicit ones laid over them; narrower ones last, so that they decide."""
    by_pair: dict[tuple[object, ...], list[Expectation]] = {}
    for expectation in derived:
        by_pair.setdefault(_pair_key(expectation), []).append(expectation)
    for entry in sorted(explicit, key=lambda e: len(_narrow(e))):
        group = by_pair.setdefault(_pair_key(entry), [])
        group[:] = _applied(group, entry)
    return [expectation for group in by_pair.values() for expectation in group]


def _pair_key(e: Expectation) -> tuple[object, ...]:
    """Those that can speak of the same thing share a key; the properties of one network stand together."""
    return (e.kind, e.source, e.target, e.network if e.kind.row.about is About.NETWORK and e.kind.row.names else "")


def _applied(group: Sequence[Expectation], entry: Expectation) -> list[Expectation]:
    if entry.kind.row.about is About.OUTSIDE:
        return laid_over(group, entry)
    if entry.port:
        return [*(e for e in group if _narrow(e) != _narrow(entry)), entry]
    split = [part for e in group for part in _split(e, entry)]
    matching = [e for e in split if _covered(e, entry)]
    if not matching:
        return [*split, replace(entry, name=entry.name or (entry.target if entry.kind is Kind.NAME else ""))]
    if entry.kind is Kind.REACH and entry.expected == DENY and not entry.network:
        # By any address, not just on the networks that they share.
        return [*(e for e in split if not _covered(e, entry)), entry]
    return [_overridden(e, entry) if _covered(e, entry) else e for e in split]


def _covered(e: Expectation, entry: Expectation) -> bool:
    return not e.port and all(getattr(e, key) == wanted for key, wanted in _narrow(entry).items())


def _split(e: Expectation, entry: Expectation) -> list[Expectation]:
    """One expectation per protocol where the entry is about one of them only."""
    about = not e.port and (not entry.network or e.network == entry.network)
    if entry.protocol and not e.protocol and about:
        return [replace(e, protocol=protocol) for protocol in PROTOCOLS]
    return [e]


def _overridden(e: Expectation, entry: Expectation) -> Expectation:
    return replace(e, expected=entry.expected, because=entry.because, derived=False, place=entry.place)
