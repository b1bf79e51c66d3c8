"""What the embedded DNS should answer, and whom to ask."""

from __future__ import annotations

from collections.abc import Iterator

from swarmlab.model.expectation import Expectation
from swarmlab.model.kinds import ALLOW, DENY
from swarmlab.model.probe import NameProbe
from swarmlab.probes.session.endpoints import EndpointIndex, on_network, owner
from swarmlab.probes.traffic.expand import Vips

TASKS = "tasks."


def name_probes(expectation: Expectation, index: EndpointIndex, vips: Vips) -> Iterator[NameProbe]:
    """One question per asking task. For a deny, `accepted` holds what others of that name would rightly answer."""
    e = expectation
    name = e.name or e.target
    if e.expected == ALLOW:
        accepted = right_answers(e.source, name, e.target, e.network, index, vips)
    else:
        accepted = other_answers(e.source, name, e.target, index, vips)
    for asker in index.of(e.source):
        yield NameProbe(
            id=0, source=asker.id, name=name, target=e.target, accepted=accepted, purpose="check", expectation=e
        )


def right_answers(
    asker: str, name: str, target: str, network: str, index: EndpointIndex, vips: Vips
) -> tuple[frozenset[str], ...]:
    """One set per shared network: the engine answers from one network at a time, and from it with all owners of the
    name.
    """
    shared = index.scenario.networks_of(asker) & index.scenario.networks_of(target) or index.scenario.networks_of(
        target
    )
    sets = (
        _addresses(owners(name, n, index) or [target], name, n, index, vips)
        for n in ([network] if network else sorted(shared))
    )
    return tuple(dict.fromkeys(s for s in sets if s))


def other_answers(asker: str, name: str, target: str, index: EndpointIndex, vips: Vips) -> tuple[frozenset[str], ...]:
    """The answers by which another service of that name, on a network of the asker, is found rather than the target."""
    nets = sorted(index.scenario.networks_of(asker))
    sets = (_addresses([o for o in owners(name, n, index) if o != target], name, n, index, vips) for n in nets)
    return tuple(dict.fromkeys(s for s in sets if s))


def owners(name: str, network: str, index: EndpointIndex) -> list[str]:
    """All that answer to a name on a network: by their own name, or by an alias that they share."""
    bare = name.removeprefix(TASKS)
    services = (s for s in index.scenario.services.values() if network in s.networks)
    found = [s.name for s in services if bare == s.name or bare in s.networks[network]]
    return found + [c.name for c in index.scenario.containers.values() if network in c.networks and c.name == bare]


def controls(probes: list[NameProbe], index: EndpointIndex) -> Iterator[NameProbe]:
    """Each asker asks its own name; one task of each denied target asks the denied name: were it nobody's, the deny
    would mean nothing.
    """
    for asker in dict.fromkeys(p.source for p in probes):
        name = owner(index.by_id[asker])
        yield NameProbe(id=0, source=asker, name=name, target=name, purpose="control")
    for target, name in dict.fromkeys(
        (p.target, p.name) for p in probes if p.expectation and p.expectation.expected == DENY
    ):
        for task in sorted(index.of(target), key=lambda t: bool(t.impaired))[:1]:
            yield NameProbe(id=0, source=task.id, name=name, target=target, purpose="control")


def _addresses(owned_by: list[str], name: str, network: str, index: EndpointIndex, vips: Vips) -> frozenset[str]:
    """What these owners' records hold there, together; empty when one of them is not known, since the whole would then
    be wrong.
    """
    parts = [_own(service, name, network, index, vips) for service in owned_by]
    return frozenset().union(*parts) if all(parts) else frozenset()


def _own(service: str, name: str, network: str, index: EndpointIndex, vips: Vips) -> frozenset[str]:
    declared = index.scenario.services.get(service)
    if declared and declared.endpoint_mode == "vip" and not name.startswith(TASKS):
        return frozenset({vips[service, network]}) if (service, network) in vips else frozenset()
    return frozenset(a.address for task in index.of(service) for a in on_network(task, network))
