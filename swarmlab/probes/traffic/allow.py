"""When "A reaches B" is proven, and where the packet was lost when it does not."""

from __future__ import annotations

from swarmlab.model.evidence import Evidence, Outcome
from swarmlab.model.judgement import Judgement, not_measured, proven, unproven, violated
from swarmlab.model.kinds import ALLOW, DENY, ESP
from swarmlab.model.probe import Probe
from swarmlab.probes.traffic.facts import Facts, is_virtual


def judge_allow(facts: Facts, probe: Probe, evidence: Evidence) -> Judgement:
    """Only an answer by the right responder passes."""
    if facts.answered(probe, evidence):
        return proven(ALLOW)
    unmeasured = (
        facts.unmeasured(probe, evidence)
        or (facts.without_ipvs(probe) if is_virtual(probe) else "")
        or without_esp(facts, probe)
    )
    if unmeasured:
        return not_measured(unmeasured)
    if evidence.outcome is Outcome.ANSWERED:
        return _answered_by_other(probe, evidence)
    doubt = _doubt(facts, probe, evidence)
    if doubt:
        return unproven(f"No answer, but {doubt}.")
    return violated(DENY, _where_lost(facts, probe, evidence))


def _doubt(facts: Facts, probe: Probe, evidence: Evidence) -> str:
    """Why silence says nothing about the path; "" when it does."""
    full = sorted({facts.host(probe.source), facts.host(probe.target)} & facts.overflowed)
    if full and evidence.outcome in (Outcome.TIMED_OUT, Outcome.UNREACHABLE):
        return f"the neighbour table of {', '.join(full)}'s kernel was full in this run"
    return next(filter(None, map(facts.unsound, [probe.source, *facts.targets(probe)])), "")


def without_esp(facts: Facts, probe: Probe) -> str:
    """A kernel without ESP cannot carry an encrypted overlay to another host, so its silence is no violation of the
    file.
    """
    declared, hosts = facts.scenario.networks.get(probe.network), {facts.host(probe.source), facts.host(probe.target)}
    without = sorted(host for host in hosts if ESP in facts.measurement.missing_features.get(host, ()))
    if declared is None or not declared.encrypted or len(hosts) < 2 or not without:
        return ""
    which = f"the kernels of {' and '.join(without)} have" if len(without) > 1 else f"the kernel of {without[0]} has"
    return f"{which} no ESP (XFRM): the engine drops the encrypted network's traffic"


def _answered_by_other(probe: Probe, evidence: Evidence) -> Judgement:
    if evidence.responder:
        other = f"{evidence.responder} answered in place of {probe.target} at {probe.address}"
        return violated(DENY, f"{other}: two endpoints share the address, or the way is bent.")
    answered = f"Something answered at {probe.address}"
    if evidence.seen is False:
        return violated(DENY, f"{answered}, but {probe.target} saw no request: it was not {probe.target}.")
    return unproven(f"{answered}, and it is not known whether it was {probe.target}.")


def _where_lost(facts: Facts, probe: Probe, evidence: Evidence) -> str:
    """One or two sentences: what the sender saw, and how far request and answer got."""
    here, there = facts.host(probe.source), facts.host(probe.target)
    target = f"{probe.target} at {probe.address}{f' on {there}' if there else ''}"
    what = f"{probe.source} on {here} to {target} by {probe.protocol}"
    if evidence.outcome is Outcome.NO_ROUTE:
        return f"{what}: the kernel has no route, so the request never left {probe.source}."
    if evidence.outcome is Outcome.REFUSED:
        arrived = {True: "it arrived there", False: "it never arrived there", None: "whether it arrived is not known"}
        return f"{what}: rejected on the way although the listener is alive ({arrived[evidence.seen]})."
    saw = "no answer in time" if evidence.outcome is Outcome.TIMED_OUT else "unreachable"
    return f"{what}: {saw}; {how_far(evidence, probe, here, there)}."


def how_far(evidence: Evidence, probe: Probe, here: str, there: str) -> str:
    """How far request and answer got, from the captures of both sides; `here` and `there` are the two hosts.

    >>> p = Probe(id=1, source="a.1", target="b.1", address="10.0.0.3", network="net", protocol="tcp", port=1)
    >>> how_far(Evidence(1, Outcome.TIMED_OUT, left=True, seen=False), p, "host1", "host2")
    'request lost from host1 to host2'
    >>> how_far(Evidence(1, Outcome.TIMED_OUT, left=True, seen=True, answer_left=True), p, "host1", "host2")
    'answer lost from host2 to host1'
    """
    if evidence.seen and evidence.answer_left:
        return f"answer lost {_between(there, here)}"
    if evidence.seen and evidence.answer_left is False:
        return f"the request arrived at {probe.target} but was not answered"
    if evidence.seen:
        return f"the request arrived at {probe.target}; whether an answer left is not known"
    if evidence.left is False:
        asked = "; its question for the address's hardware address did, unanswered" if evidence.asked else ""
        return f"the request never left {probe.source}{asked}"
    if evidence.left and evidence.seen is False:
        return f"request lost {_between(here, there)}"
    lost = f" (the captures dropped {evidence.lost_records} records)" if evidence.lost_records else ""
    return f"where it was lost is not known{lost}"


def _between(start: str, end: str) -> str:
    if not start or not end:
        return "on the way"
    return f"from {start} to {end}" if start != end else f"inside {start}"
