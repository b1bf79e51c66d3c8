"""Two sides of each probe, from two agents, become one Evidence. What agents say is untrusted: anything odd is "not
known".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from swarmlab.model.evidence import Evidence, NameEvidence, Outcome
from swarmlab.model.probe import Endpoint, Probe, ProbePlan
from swarmlab.probes.session.link import Answer

OUTCOMES = {str(o): o for o in Outcome}
SEEN, INFERRED = "the target's own capture saw the request", "the same address answered {} as {} in this run"
SAME_PORT = (
    "(another probe came to the target from the same source port: which of the two its capture saw cannot be told)"
)


class Merge:
    """Collects the answers of one run; `probes()` and `names()` are complete: one Evidence for each probe of the
    plan.
    """

    def __init__(
        self,
        plan: ProbePlan,
        port: int,
        fired: Mapping[str, Answer],
        dead_endpoints: Mapping[str, str],
        dead_hosts: Mapping[str, str],
    ) -> None:
        self.plan, self.port = plan, port
        self._dead_endpoints, self._dead_hosts = dead_endpoints, dead_hosts
        self._fired = _by_id(plan, fired, "probes", {p.id: p.source for p in plan.probes})
        self._named = _by_id(plan, fired, "names", {n.id: n.source for n in plan.names})
        self._services: dict[str, list[Endpoint]] = {}
        for e in plan.endpoints.values():
            self._services.setdefault(e.service, []).append(e)
        self._proven = self._identities()
        self._sports = self._source_ports()
        self._seen: dict[int, list[Mapping[str, Any]]] = {}
        self._listeners: dict[str, str] = {}
        self._samples: dict[tuple[str, str], int] = {}

    def questions(self) -> dict[str, list[dict[str, object]]]:
        """For each target's host, the probes of which its capture must be asked: all that the target itself did not
        visibly answer.
        """
        asked: dict[str, list[dict[str, object]]] = {}
        for p in self.plan.probes:
            raw = self._fired.get(p.id)
            if raw is None or (self._settled(p, raw) and not self._is_sample(p)):
                continue
            port, sport = (self.port if p.port == self.plan.port else p.port), _number(raw.get("sport"))
            for target in self._targets(p):
                if target.id not in self._dead_endpoints:
                    entry = {
                        "id": p.id,
                        "target": target.id,
                        "protocol": p.protocol,
                        "port": port,
                        "sport": int(sport or 0),
                    }
                    asked.setdefault(target.host, []).append(entry)
        return asked

    def _is_sample(self, p: Probe) -> bool:
        """One answered probe for each target and protocol: its capture must have seen that one, or it is blind."""
        return self._samples.setdefault((p.target, p.protocol), p.id) == p.id

    def capture_missed(self) -> frozenset[tuple[str, str]]:
        """(endpoint, protocol) whose capture did not see a request that the endpoint did answer: what it "did not see"
        proves nothing.
        """
        return frozenset(
            key
            for key, id_ in self._samples.items()
            if _any([_flag(e.get("seen")) for e in self._seen.get(id_, [])]) is not True
        )

    def saw(self, answers: Mapping[str, Answer]) -> None:
        """Take in what the targets' captures saw, and the state of their listeners."""
        for host, answer in answers.items():
            for _, entry in _entries({host: answer}, "probes"):
                self._seen.setdefault(entry["id"], []).append(entry)
            listeners = answer.get("listeners")
            for id_, state in listeners.items() if isinstance(listeners, dict) else ():
                if (endpoint := self.plan.endpoints.get(id_)) and endpoint.host == host:
                    self._listeners[id_] = _text(state)

    def probes(self) -> dict[int, Evidence]:
        """Both sides together, for every probe of the plan."""
        return {p.id: self._evidence(p, self._fired.get(p.id)) for p in self.plan.probes}

    def names(self) -> dict[int, NameEvidence]:
        """Every question's answer; one whose asker is dead has none."""
        return {n.id: self._name(n.id, n.source) for n in self.plan.names}

    def _identities(self) -> dict[tuple[str, str], tuple[str, str]]:
        """(sender, address) -> (protocol, who answered there by nonce). An echo reply names nobody: this says who it
        was, at no cost.
        """
        found: dict[tuple[str, str], tuple[str, str]] = {}
        clash: set[tuple[str, str]] = set()
        for p in self.plan.probes:
            raw = self._fired.get(p.id)
            if raw is not None and p.protocol != "icmp" and raw.get("outcome") == "answered" and raw.get("responder"):
                who = _text(raw["responder"])
                if found.setdefault((p.source, p.address), (p.protocol, who))[1] != who:
                    clash.add((p.source, p.address))
        return {key: value for key, value in found.items() if key not in clash}

    def _source_ports(self) -> Counter[tuple[str, int, int]]:
        """How many TCP probes came to one target's port from one source port: captures tell TCP probes apart by nothing
        else.
        """
        tcp = ((p, self._fired.get(p.id)) for p in self.plan.probes if p.protocol == "tcp")
        return Counter((p.target, p.port, int(_number(raw.get("sport")) or 0)) for p, raw in tcp if raw is not None)

    def _responder(self, p: Probe, raw: Mapping[str, Any]) -> str:
        if p.protocol != "icmp":
            return _text(raw.get("responder"))
        return self._proven.get((p.source, p.address), ("", ""))[1]

    def _settled(self, p: Probe, raw: Mapping[str, Any]) -> bool:
        """Answered by the target itself: no need to ask what it saw. (A virtual address's answer settles which task it
        was.)
        """
        if raw.get("outcome") != "answered":
            return False
        who = self._responder(p, raw)
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

    def _evidence(self, p: Probe, raw: Mapping[str, Any] | None) -> Evidence:
        outcome = OUTCOMES.get(_text(raw.get("outcome"))) if raw is not None else None
        if raw is None or outcome is None:
            reason = self._dead(p.source) or "its agent said nothing about this probe"
            return Evidence(p.id, Outcome.SENDER_DEAD, detail=reason)
        latency = _number(raw.get("latency_ms"))
        sends, via, detail = int(_number(raw.get("sends")) or 0), _text(raw.get("via")), _text(raw.get("detail"))
        lost = int(_number(raw.get("lost_records")) or 0)
        responder = self._responder(p, raw) if outcome is Outcome.ANSWERED else ""
        if self._settled(p, raw):
            how = INFERRED.format(*self._proven[p.source, p.address]) if p.protocol == "icmp" else detail
            return Evidence(
                p.id, outcome, responder, latency, _flag(raw.get("left")), None, via, None, None, sends, lost, how
            )
        seen, answer_left, lost_there = self._target_side(p.id)
        if seen and p.protocol == "tcp" and self._sports[p.target, p.port, int(_number(raw.get("sport")) or 0)] > 1:
            seen, answer_left, detail = None, None, f"{detail} {SAME_PORT}".strip()
        if outcome is Outcome.ANSWERED and not responder and seen and p.target in self.plan.endpoints:
            responder, detail = p.target, SEEN
        else:
            outcome, detail = self._listener(p, outcome, responder, detail)
        return Evidence(
            p.id, outcome, responder, latency, _flag(raw.get("left")), _flag(raw.get("asked")), via,
            seen, answer_left, sends, lost + lost_there, detail,
        )  # fmt: skip

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
        entries = self._seen.get(id_, [])
        lost = sum(int(_number(e.get("lost_records")) or 0) for e in entries)
        return _any([_flag(e.get("seen")) for e in entries]), _any([_flag(e.get("answer_left")) for e in entries]), lost

    def _name(self, id_: int, source: str) -> NameEvidence:
        raw = self._named.get(id_)
        outcome = OUTCOMES.get(_text(raw.get("outcome"))) if raw is not None else None
        if raw is None or outcome is None:
            return NameEvidence(
                id_, Outcome.SENDER_DEAD, detail=self._dead(source) or "its agent said nothing about this name"
            )
        addresses = raw.get("addresses")
        found = tuple(_text(a) for a in addresses[:1000]) if isinstance(addresses, list) else ()
        sends = int(_number(raw.get("sends")) or 0)
        return NameEvidence(
            id_,
            outcome,
            _text(raw.get("rcode")),
            found,
            _number(raw.get("latency_ms")),
            sends,
            _text(raw.get("detail")),
        )


def _by_id(
    plan: ProbePlan, fired: Mapping[str, Answer], key: str, source_of: Mapping[int, str]
) -> dict[int, Mapping[str, Any]]:
    """What each agent says about probes that leave from its own host; of others it has nothing to say."""
    host_of = {id_: e.host for id_, e in plan.endpoints.items()}
    return {e["id"]: e for host, e in _entries(fired, key) if host_of.get(source_of.get(e["id"], "")) == host}


def _entries(fired: Mapping[str, Answer], key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for host, answer in fired.items():
        entries = answer.get(key)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and type(entry.get("id")) is int:
                yield host, entry


def _flag(value: object) -> bool | None:
    return value if value is True or value is False else None


def _any(flags: list[bool | None]) -> bool | None:
    if True in flags:
        return True
    return None if None in flags or not flags else False


def _text(value: object) -> str:
    return value[:300] if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e12 else None  # not true of NaN either, which json accepts
