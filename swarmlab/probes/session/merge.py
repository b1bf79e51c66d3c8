"""Two sides of each probe, from two agents, become one Evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from swarmlab.agent.protocol.probing import FireAnswer, NameResult, ProbeResult, SeenAnswer, SeenResult, SeenSpec
from swarmlab.model.evidence import Evidence, NameEvidence, Outcome
from swarmlab.model.probe import Endpoint, NameProbe, Probe, ProbePlan

OUTCOMES = {str(o): o for o in Outcome}
ANSWERED = Outcome.ANSWERED.value  # as agents say it
SEEN, INFERRED = "the target's own capture saw the request", "the same address answered {} as {} in this run"
SAME_PORT = (
    "(another probe came to the target from the same source port: which of the two its capture saw cannot be told)"
)


class Merge:
    """Collects the answers of one round; `probes()` and `names()` have evidence for each of the plan's."""

    def __init__(
        self,
        plan: ProbePlan,
        port: int,
        fired: Mapping[str, FireAnswer],
        dead_endpoints: Mapping[str, str],
        dead_hosts: Mapping[str, str],
    ) -> None:
        self.plan, self.port = plan, port
        self._dead_endpoints, self._dead_hosts = dead_endpoints, dead_hosts
        # What each agent says about probes and names of its own host's endpoints; of others it has nothing to say.
        host_of = {id_: e.host for id_, e in plan.endpoints.items()}
        probes = {p.id: host_of.get(p.source, "") for p in plan.probes}
        names = {n.id: host_of.get(n.source, "") for n in plan.names}
        told = fired.items()
        self._fired = {r.id: r for host, answer in told for r in answer.probes if probes.get(r.id) == host}
        self._named = {r.id: r for host, answer in told for r in answer.names if names.get(r.id) == host}
        self._services: dict[str, list[Endpoint]] = {}
        for e in plan.endpoints.values():
            self._services.setdefault(e.service, []).append(e)
        self._proven = self._identities()
        self._sports = self._source_ports()
        self._seen: dict[int, list[SeenResult]] = {}
        self._listeners: dict[str, str] = {}
        self._samples: dict[tuple[str, str], int] = {}

    def questions(self) -> dict[str, list[SeenSpec]]:
        """For each target's host, the probes of which its capture must be asked: all that the target itself did not
        visibly answer.
        """
        asked: dict[str, list[SeenSpec]] = {}
        for p in self.plan.probes:
            fired = self._fired.get(p.id)
            if fired is None or (self._settled(p, fired) and not self._is_sample(p)):
                continue
            port = self.port if p.port == self.plan.port else p.port
            for target in self._targets(p):
                if target.id not in self._dead_endpoints:
                    question = SeenSpec(p.id, target.id, p.protocol, port, fired.sport)
                    asked.setdefault(target.host, []).append(question)
        return asked

    def _is_sample(self, p: Probe) -> bool:
        """One answered probe for each target and protocol: a capture that did not see it proves nothing."""
        return self._samples.setdefault((p.target, p.protocol), p.id) == p.id

    def capture_missed(self) -> frozenset[tuple[str, str]]:
        """(endpoint, protocol) whose capture did not see a request that the endpoint did answer: what it "did not see"
        proves nothing.
        """
        return frozenset(
            key
            for key, id_ in self._samples.items()
            if any_of([told.seen for told in self._seen.get(id_, [])]) is not True
        )

    def saw(self, answers: Mapping[str, SeenAnswer]) -> None:
        """Take in what the targets' captures saw, and the state of their listeners."""
        for host, answer in answers.items():
            for told in answer.probes:
                self._seen.setdefault(told.id, []).append(told)
            for id_, state in answer.listeners.items():
                if (endpoint := self.plan.endpoints.get(id_)) and endpoint.host == host:
                    self._listeners[id_] = state

    def probes(self) -> dict[int, Evidence]:
        """Both sides together, for every probe of the plan."""
        return {p.id: self._evidence(p, self._fired.get(p.id)) for p in self.plan.probes}

    def names(self) -> dict[int, NameEvidence]:
        """Every question's answer; one whose asker is dead has none."""
        return {n.id: self._name(n, self._named.get(n.id)) for n in self.plan.names}

    def _identities(self) -> dict[tuple[str, str], tuple[str, str]]:
        """(sender, address) -> (protocol, who answered there by nonce). An echo reply names nobody: this says who it
        was, at no cost.
        """
        found: dict[tuple[str, str], tuple[str, str]] = {}
        clash: set[tuple[str, str]] = set()
        for p in self.plan.probes:
            fired = self._fired.get(p.id)
            if fired is not None and p.protocol != "icmp" and fired.outcome == ANSWERED and fired.responder:
                known = found.setdefault((p.source, p.address), (p.protocol, fired.responder))
                if known[1] != fired.responder:
                    clash.add((p.source, p.address))
        return {key: value for key, value in found.items() if key not in clash}

    def _source_ports(self) -> Counter[tuple[str, int, int]]:
        """How many TCP probes came to one target's port from one source port: captures tell TCP probes apart by nothing
        else.
        """
        tcp = ((p, self._fired.get(p.id)) for p in self.plan.probes if p.protocol == "tcp")
        return Counter((p.target, p.port, fired.sport) for p, fired in tcp if fired is not None)

    def _responder(self, p: Probe, fired: ProbeResult) -> str:
        if p.protocol != "icmp":
            return fired.responder
        return self._proven.get((p.source, p.address), ("", ""))[1]

    def _settled(self, p: Probe, fired: ProbeResult) -> bool:
        """Answered by the target itself: no need to ask what it saw. (A virtual address's answer settles which task it
        was.)
        """
        if fired.outcome != ANSWERED:
            return False
        who = self._responder(p, fired)
        return bool(who) and (who == p.target or any(t.id == who for t in self._services.get(p.target, ())))

    def _targets(self, p: Probe) -> list[Endpoint]:
        endpoint = self.plan.endpoints.get(p.target)
        return [endpoint] if endpoint else self._services.get(p.target, [])

    def _dead(self, id_: str) -> str:
        """Why nothing can be said about an endpoint; "" when it is fine."""
        endpoint = self.plan.endpoints.get(id_)
        return self._dead_endpoints.get(id_, "") or (
            self._dead_hosts.get(endpoint.host, "") if endpoint else "it is not known"
        )

    def _evidence(self, p: Probe, fired: ProbeResult | None) -> Evidence:
        outcome = OUTCOMES.get(fired.outcome) if fired is not None else None
        if fired is None or outcome is None:
            reason = self._dead(p.source) or "its agent said nothing about this probe"
            return Evidence(p.id, Outcome.SENDER_DEAD, detail=reason)
        sent = Evidence(
            p.id,
            outcome,
            responder=self._responder(p, fired) if outcome is Outcome.ANSWERED else "",
            latency_ms=fired.latency_ms,
            left=fired.left,
            via=fired.via,
            sends=fired.sends,
            lost_records=fired.lost_records,
            detail=fired.detail,
        )
        if not self._settled(p, fired):
            return self._with_target_side(p, fired, sent)
        if p.protocol == "icmp":
            return replace(sent, detail=INFERRED.format(*self._proven[p.source, p.address]))
        return sent

    def _with_target_side(self, p: Probe, fired: ProbeResult, sent: Evidence) -> Evidence:
        """What the target's capture and listener add to what the sender saw."""
        outcome, responder, detail = sent.outcome, sent.responder, sent.detail
        seen, answer_left, lost_there = self._target_side(p.id)
        if seen and p.protocol == "tcp" and self._sports[p.target, p.port, fired.sport] > 1:
            seen, answer_left, detail = None, None, f"{detail} {SAME_PORT}".strip()
        if outcome is Outcome.ANSWERED and not responder and seen and p.target in self.plan.endpoints:
            responder, detail = p.target, SEEN
        else:
            outcome, detail = self._listener(p, outcome, responder, detail)
        return replace(
            sent,
            outcome=outcome,
            responder=responder,
            asked=fired.asked,
            seen=seen,
            answer_left=answer_left,
            lost_records=sent.lost_records + lost_there,
            detail=detail,
        )

    def _listener(self, p: Probe, outcome: Outcome, responder: str, detail: str) -> tuple[Outcome, str]:
        """Silence of a target whose listener is not known to be alive says nothing about the way to it."""
        if outcome in (Outcome.SENDER_DEAD, Outcome.SEND_ERROR):
            return outcome, detail
        for target in self._targets(p):
            state = self._dead(target.id) or self._listeners.get(target.id, "its agent did not say whether it listens")
            if state:
                by = f" by {responder}" if responder else ""
                return Outcome.LISTENER_DEAD, "; ".join(filter(None, (state, f"the sender saw: {outcome}{by}", detail)))
        return outcome, detail

    def _target_side(self, id_: int) -> tuple[bool | None, bool | None, int]:
        """seen, answer_left, lost records; of several possible targets (a virtual address) any that saw it, and all
        that did not.
        """
        told = self._seen.get(id_, [])
        seen, answer_left = any_of([t.seen for t in told]), any_of([t.answer_left for t in told])
        return seen, answer_left, sum(t.lost_records for t in told)

    def _name(self, n: NameProbe, told: NameResult | None) -> NameEvidence:
        outcome = OUTCOMES.get(told.outcome) if told is not None else None
        if told is None or outcome is None:
            reason = self._dead(n.source) or "its agent said nothing about this name"
            return NameEvidence(n.id, Outcome.SENDER_DEAD, detail=reason)
        return NameEvidence(
            n.id,
            outcome,
            rcode=told.rcode,
            addresses=told.addresses,
            latency_ms=told.latency_ms,
            sends=told.sends,
            detail=told.detail,
        )


def any_of(flags: Sequence[bool | None]) -> bool | None:
    """True if one is, False if all are known not to be.

    >>> any_of([None, True]), any_of([None, False]), any_of([])
    (True, None, None)
    """
    if True in flags:
        return True
    return None if None in flags or not flags else False
