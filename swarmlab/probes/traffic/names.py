"""Verdicts on names: what the embedded DNS in the asker's own namespace answered, against what it should."""

from __future__ import annotations

from swarmlab.model.check import Check, Verdict
from swarmlab.model.check_evidence.traffic import LookupEvidence, NameControl
from swarmlab.model.evidence import NameEvidence, Outcome
from swarmlab.model.ids import check_id, pair
from swarmlab.model.judgement import Judgement, not_measured, not_proven, proven, unproven, violated
from swarmlab.model.kinds import ALLOW, DENY, Kind
from swarmlab.model.probe import NameProbe
from swarmlab.probes.traffic.facts import Facts

NOTHING = NameEvidence(-1, Outcome.SENDER_DEAD, detail="nothing was measured")
FOUND = "found"  # NOERROR with at least one address
EMPTY = "NOERROR"
# What an answer says about a name that must not be known, once the asker's own name was answered in the same run.
# Silence is not a denial: the embedded DNS hands unknown names to a resolver of the host, which may simply be slow.
WHEN_DENIED = {
    FOUND: Verdict.FAIL,
    EMPTY: Verdict.PASS,
    "NXDOMAIN": Verdict.PASS,
    "SERVFAIL": Verdict.PASS,
    "REFUSED": Verdict.PASS,
    "": Verdict.INCONCLUSIVE,
}


class Names:
    """The names of one run."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._found: set[tuple[str, str]] = set()  # asker, name
        self._controls: dict[str, NameProbe] = {}  # asker -> its own name
        self._may_know: dict[tuple[str, str], list[NameProbe]] = {}  # name, target -> questions that should be answered
        for n in facts.plan.names:
            if _kind(self.evidence(n)) == FOUND:
                self._found.add((n.source, n.name))
            if n.purpose == "control" and n.target == _service(facts, n.source) == n.name:
                self._controls[n.source] = n
            if n.purpose == "control" or (n.expectation and n.expectation.expected == ALLOW):
                self._may_know.setdefault((n.name, n.target), []).append(n)

    def evidence(self, probe: NameProbe) -> NameEvidence:
        """What was answered."""
        return self.facts.measurement.names.get(probe.id, NOTHING)

    def check(self, probe: NameProbe) -> Check:
        """One line of the report."""
        e, expectation = self.evidence(probe), probe.expectation
        expected = expectation.expected if expectation else ALLOW
        judged = (self._allow if expected == ALLOW else self._deny)(probe, e)
        return Check(
            id=check_id(Kind.NAME, pair(probe.source, probe.name)),
            kind=str(Kind.NAME),
            source=probe.source,
            target=probe.target,
            network=expectation.network if expectation else "",
            protocol="dns",
            port=53,
            expected=expected,
            observed=judged.observed,
            verdict=judged.verdict,
            because=expectation.because if expectation else "",
            explanation=judged.explanation,
            source_service=_service(self.facts, probe.source),
            target_service=probe.target,
            source_host=self.facts.host(probe.source),
            evidence=self._shown(probe, e),
        )

    def _allow(self, probe: NameProbe, e: NameEvidence) -> Judgement:
        kind, got = _kind(e), frozenset(e.addresses)
        if kind == "":
            return self._silent(probe, e)
        if kind != FOUND:
            said = "no address" if kind == EMPTY else e.rcode
            return violated(DENY, f"The embedded DNS of {probe.source} does not know {probe.name} ({said}).")
        if not probe.accepted:
            return unproven(f"{probe.name} has an answer, but what it should be is not known.")
        if got in probe.accepted:
            return proven(ALLOW)
        best = min(probe.accepted, key=lambda right: len(right ^ got))
        parts = [
            f"{word} {', '.join(sorted(s))}" for word, s in (("missing", best - got), ("not of it", got - best)) if s
        ]
        return violated(DENY, f"{probe.source} gets a wrong answer for {probe.name}: {'; '.join(parts)}.")

    def _silent(self, probe: NameProbe, e: NameEvidence) -> Judgement:
        unsound = self.facts.unsound(probe.source)
        if not unsound and e.outcome is not Outcome.SENDER_DEAD and self._knows_itself(probe.source):
            text = f"{probe.source} got no answer for {probe.name}, though its own name was answered."
            return violated(DENY, text)
        reason = unsound or e.detail or f"the embedded DNS of {probe.source} answers nothing"
        return not_measured(reason)

    def _deny(self, probe: NameProbe, e: NameEvidence) -> Judgement:
        kind = _kind(e)
        verdict = WHEN_DENIED.get(kind, Verdict.INCONCLUSIVE)
        others = frozenset().union(*probe.accepted)
        if verdict is Verdict.FAIL and not (others and others.issuperset(e.addresses)):
            found = ", ".join(sorted(e.addresses))
            return violated(ALLOW, f"{probe.source} resolves {probe.name} to {found}, although it must not.")
        missing = list(filter(None, (self._sound(probe), self._itself(probe), self._exists(probe))))
        if verdict is Verdict.INCONCLUSIVE:
            missing.append(f"{probe.source} got no answer for {probe.name} ({e.rcode or e.detail or e.outcome})")
        if missing:
            return not_proven(*missing)
        if kind == FOUND:
            others_name = f"{probe.name} is another service's name here"
            return proven(DENY, f"{others_name}: its addresses are not those of {probe.target}.")
        return proven(DENY, f"The embedded DNS of {probe.source} answers, and does not know {probe.name} ({e.rcode}).")

    def _sound(self, probe: NameProbe) -> str:
        return self.facts.unsound(probe.source)

    def _itself(self, probe: NameProbe) -> str:
        return "" if self._knows_itself(probe.source) else f"{probe.source} does not even get its own name answered"

    def _exists(self, probe: NameProbe) -> str:
        """A name that is answered to nobody may not exist: then its denial proves nothing."""
        if any((q.source, q.name) in self._found for q in self._may_know.get((probe.name, probe.target), [])):
            return ""
        return f"nobody who may gets an answer for {probe.name} either"

    def _knows_itself(self, asker: str) -> bool:
        own = self._controls.get(asker)
        return own is not None and (asker, own.name) in self._found

    def _shown(self, probe: NameProbe, e: NameEvidence) -> LookupEvidence:
        may = [q for q in self._may_know.get((probe.name, probe.target), []) if (q.source, q.name) in self._found]
        own = [self._controls[probe.source]] if probe.source in self._controls else []
        controls = dict.fromkeys([*own, *may[:1]])
        return LookupEvidence(
            name=probe.name,
            outcome=str(e.outcome),
            rcode=e.rcode,
            addresses=e.addresses,
            latency_ms=e.latency_ms,
            sends=e.sends,
            detail=e.detail,
            accepted=tuple(tuple(sorted(s)) for s in probe.accepted),
            controls=tuple(NameControl(f"{c.source} asks {c.name}", self.evidence(c).rcode) for c in controls),
        )


def _kind(e: NameEvidence) -> str:
    """`FOUND`, a response code, or "" for no answer at all."""
    if e.outcome is not Outcome.ANSWERED:
        return ""
    return FOUND if e.rcode == EMPTY and e.addresses else e.rcode


def _service(facts: Facts, id_: str) -> str:
    endpoint = facts.plan.endpoints.get(id_)
    return (endpoint.service or endpoint.id) if endpoint else ""
