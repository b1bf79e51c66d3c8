"""Verdicts on networks: what each host's engine has, against what the file declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from swarmlab.model.check import Check
from swarmlab.model.check_evidence.network import PropertyEvidence
from swarmlab.model.evidence import NetworkEvidence
from swarmlab.model.expectation import Expectation, is_option
from swarmlab.model.ids import check_id
from swarmlab.model.judgement import Judgement, proven, unproven, violated
from swarmlab.model.kinds import Kind
from swarmlab.probes.session.endpoints import WORKLOADS
from swarmlab.probes.stage import LabView

MISSING = "missing"  # observed where a host does not have the network


def network_checks(view: LabView, dead: Mapping[str, str], expectation: Expectation) -> Iterator[Check]:
    """One check for each host that has the network or runs a task on it.

    `dead`: hosts that say nothing, and why.
    """
    key = expectation.network or expectation.target
    seen = {n.host: n for n in view.networks if n.network == key}
    needed = _needed(view, key)
    for host in sorted(needed | {h for h, n in seen.items() if n.found}):
        yield _check(expectation, key, host, _judge(dead, expectation, key, seen, host))
    if not needed and not any(n.found for n in seen.values()):
        nobody = violated(MISSING, f"No host has network {key}.")
        yield _check(expectation, key, "", nobody if seen else unproven(f"Nothing was measured about network {key}."))


def _needed(view: LabView, key: str) -> set[str]:
    """Hosts that cannot do without: one that runs a task on it (elsewhere an overlay is missing by right), or that the
    file names.
    """
    local = view.scenario.local_networks.get(key)
    workload = (e for e in view.endpoints if e.role in WORKLOADS)
    on_it = {e.host for e in workload if any(a.network == key for a in e.addresses)}
    return on_it | set(local.hosts if local else ())


def _judge(dead: Mapping[str, str], e: Expectation, key: str, seen: dict[str, NetworkEvidence], host: str) -> Judgement:
    own = seen.get(host)
    if own is None:
        return unproven(f"Nothing is known about {key} on {host}: {dead.get(host, 'its engine was not asked')}.")
    if not own.found:
        return violated(MISSING, f"{host} does not have network {key}, though it should.")
    found = own.properties.get(e.name)
    if found is None and not is_option(e.name):
        return unproven(f"The engine of {host} does not say what {e.name} of {key} is.")
    if not _same(e.name, e.expected, found):
        shown = "not set" if found is None else f"`{found}`"
        return violated(found or "", f"{key} on {host}: {e.name} should be `{e.expected}` and is {shown}.")
    return _one_network(e, key, seen, host) or proven(found or "")


def _same(name: str, expected: str, found: str | None) -> bool:
    if name == "subnets":
        return {s.strip() for s in expected.split(",")} == {s.strip() for s in (found or "").split(",")}
    return expected == found


def _one_network(e: Expectation, key: str, seen: dict[str, NetworkEvidence], host: str) -> Judgement | None:
    """A swarm's network has one id everywhere; a node-local one has another on each host, whatever its name
    suggests.
    """
    if e.name != "scope":
        return None
    others = {h: n.id for h, n in seen.items() if h != host and n.found and n.id}
    same = sorted(h for h, id_ in others.items() if id_ == seen[host].id)
    if e.expected == "swarm" and len(same) < len(others):
        differing = ", ".join(sorted(others.keys() - set(same)))
        text = f"{key} on {host} is another network than {key} on {differing}: their ids differ."
        return violated("several", text)
    if e.expected == "local" and same:
        text = f"{key} on {host} is the same network as on {', '.join(same)}, and should be its own."
        return violated("shared", text)
    return None


def _check(e: Expectation, key: str, host: str, judged: Judgement) -> Check:
    return Check(
        id=check_id(Kind.NETWORK, key, item=e.name, on=host or None),
        kind=str(Kind.NETWORK),
        source=host,
        target=key,
        network=key,
        protocol="",
        port=0,
        expected=e.expected,
        observed=judged.observed,
        verdict=judged.verdict,
        because=e.because,
        explanation=judged.explanation,
        source_host=host,
        evidence=PropertyEvidence(property=e.name, found=judged.observed),
    )
