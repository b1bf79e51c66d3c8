"""Verdicts on networks: what each host's engine has, against what the file declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from swarmlab.model.check import Check, Verdict
from swarmlab.model.evidence import NetworkEvidence
from swarmlab.model.expectation import Expectation
from swarmlab.probes.session.endpoints import WORKLOADS
from swarmlab.probes.stage import LabView

Judged = tuple[Verdict, str, str]


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
        verdict = Verdict.FAIL if seen else Verdict.INCONCLUSIVE
        text = f"No host has network {key}." if seen else f"Nothing was measured about network {key}."
        yield _check(expectation, key, "", (verdict, "missing" if seen else "unknown", text))


def _needed(view: LabView, key: str) -> set[str]:
    """Hosts that cannot do without: one that runs a task on it (elsewhere an overlay is missing by right), or that the
    file names.
    """
    local = view.scenario.local_networks.get(key)
    workload = (e for e in view.endpoints if e.role in WORKLOADS)
    on_it = {e.host for e in workload if any(a.network == key for a in e.addresses)}
    return on_it | set(local.hosts if local else ())


def _judge(dead: Mapping[str, str], e: Expectation, key: str, seen: dict[str, NetworkEvidence], host: str) -> Judged:
    own = seen.get(host)
    if own is None:
        reason = dead.get(host, "its engine was not asked")
        return Verdict.INCONCLUSIVE, "unknown", f"Nothing is known about {key} on {host}: {reason}."
    if not own.found:
        return Verdict.FAIL, "missing", f"{host} does not have network {key}, though it should."
    found = own.properties.get(e.name)
    if found is None and not e.name.startswith("option:"):
        return Verdict.INCONCLUSIVE, "unknown", f"The engine of {host} does not say what {e.name} of {key} is."
    if not _same(e.name, e.expected, found):
        shown = "not set" if found is None else f"`{found}`"
        return Verdict.FAIL, found or "", f"{key} on {host}: {e.name} should be `{e.expected}` and is {shown}."
    return _one_network(e, key, seen, host) or (Verdict.PASS, found or "", "")


def _same(name: str, expected: str, found: str | None) -> bool:
    if name == "subnets":
        return {s.strip() for s in expected.split(",")} == {s.strip() for s in (found or "").split(",")}
    return expected == found


def _one_network(e: Expectation, key: str, seen: dict[str, NetworkEvidence], host: str) -> Judged | None:
    """A swarm's network has one id everywhere; a node-local one has another on each host, whatever its name
    suggests.
    """
    if e.name != "scope":
        return None
    others = {h: n.id for h, n in seen.items() if h != host and n.found and n.id}
    same = [h for h, id_ in others.items() if id_ == seen[host].id]
    if e.expected == "swarm" and len(same) < len(others):
        differing = ", ".join(sorted(others.keys() - set(same)))
        return (
            Verdict.FAIL,
            "several",
            f"{key} on {host} is another network than {key} on {differing}: their ids differ.",
        )
    if e.expected == "local" and same:
        return (
            Verdict.FAIL,
            "shared",
            f"{key} on {host} is the same network as on {', '.join(sorted(same))}, and should be its own.",
        )
    return None


def _check(e: Expectation, key: str, host: str, judged: Judged) -> Check:
    verdict, observed, text = judged
    return Check(
        id=f"network:{key}/{e.name}" + (f"@{host}" if host else ""),
        kind="network",
        source=host,
        target=key,
        network=key,
        protocol="",
        port=0,
        expected=e.expected,
        observed=observed,
        verdict=verdict,
        because=e.because,
        explanation=text,
        source_host=host,
        evidence={"property": e.name, "found": observed},
    )
