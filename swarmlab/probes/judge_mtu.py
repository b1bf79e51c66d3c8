"""Verdicts on sizes: a full-size packet passes in one piece, a bulk transfer completes. What small ones cannot do is no matter of size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from swarmlab.model.check import Check, Verdict
from swarmlab.model.mtu import FITS, TOO_BIG, UNDERLAY, UNKNOWN, BulkEvidence, MtuEvidence, MtuMeasurement, MtuPlan, Trial, needed
from swarmlab.model.scenario import Scenario
from swarmlab.probes.roster import owner

TRIES = 3  # full-size packets lost before that means anything
STALLED = 0.9  # of the time-out: a transfer of which nothing more was acknowledged for that long has stopped

Judged = tuple[Verdict, str, str]


class Sizes:
    """One run's trials, judged."""

    def __init__(self, scenario: Scenario, plan: MtuPlan, measured: MtuMeasurement) -> None:
        self.scenario, self.plan, self.measured = scenario, plan, measured
        self._beneath = {(t.source_host, t.target_host): t for t in plan.trials if t.network == UNDERLAY}

    def checks(self) -> Iterator[Check]:
        """Two per trial over an overlay: datagrams, and a transfer."""
        for trial in self.plan.trials:
            if trial.expectation is not None:
                yield self._check(trial, "", "udp", self.datagram(trial), self._shown(trial))
                yield self._check(trial, "/bulk", "tcp", self.transfer(trial), self._moved(trial))

    def evidence(self, trial: Trial) -> MtuEvidence:
        """What was measured; a trial without evidence has a sender that cannot vouch for anything."""
        return self.measured.evidence.get(trial.id, MtuEvidence(trial.id, error="nothing was measured"))

    def beneath(self, trial: Trial) -> MtuEvidence | None:
        """What passes in the same direction between the two hosts themselves; None when that could not be measured."""
        found = self._beneath.get((trial.source_host, trial.target_host))
        evidence = self.evidence(found) if found is not None else None
        sound = found is not None and evidence is not None and evidence.small and evidence.responder == found.target
        return evidence if sound else None

    def encrypted(self, trial: Trial) -> bool:
        """Whether ESP comes on top."""
        network = self.scenario.networks.get(trial.network)
        return network is not None and network.encrypted

    def needs(self, trial: Trial) -> int:
        """The outer packet of a full-size one."""
        return needed(self.evidence(trial).mtu, encrypted=self.encrypted(trial))

    def datagram(self, trial: Trial) -> Judged:
        """Whether a packet as large as the overlay's MTU passes, and in one piece."""
        e = self.evidence(trial)
        unsound = self._unsound(trial, e)
        if unsound:
            return _unknown(unsound)
        if not e.small or e.responder != trial.target:
            return _unknown(_no_control(trial, e) + self._without_esp(trial))
        if e.full:
            return self._whole(trial, e)
        if e.tries < TRIES:
            return _unknown(f"the full size could be sent only {e.tries} times of {TRIES} ({e.detail or 'no detail'})")
        limit = f"the largest that passes is {e.largest}" if e.exact else f"{e.largest} bytes do pass"
        text = (
            f"A packet of {e.mtu} bytes, the MTU of {e.interface} in {trial.source}, was sent {e.tries} times to {trial.target} and never "
            f"arrived, while small ones did; {limit}{self._beneath_text(trial)}."
        )
        return Verdict.FAIL, TOO_BIG, text

    def _whole(self, trial: Trial, e: MtuEvidence) -> Judged:
        """It arrived. VXLAN's outer packet may be fragmented on the way, which the inner one cannot tell."""
        arrived, beneath, need = self.measured.fragments.get(trial.target_host), self.beneath(trial), self.needs(trial)
        if arrived == 0 or (beneath is not None and beneath.largest >= need):
            return Verdict.PASS, FITS, ""
        passes = f"A packet of {e.mtu} bytes passes from {trial.source} to {trial.target}"
        if beneath is None:
            seen = "fragments arrived there meanwhile" if arrived else f"{trial.target_host} does not say whether fragments arrived"
            return _unknown(
                f"{passes[0].lower()}{passes[1:]}, but perhaps in pieces: {seen}, and no path MTU could be measured between the hosts"
            )
        if not arrived:
            return _unknown(
                f"the underlay passes {beneath.largest} bytes of {need}, and {trial.target_host} does not say whether fragments arrived"
            )
        if beneath.tries < TRIES or beneath.full or not beneath.exact:
            return _unknown(f"the path MTU from {trial.source_host} to {trial.target_host} was not found within the time-out")
        text = (
            f"{passes} only in fragments: its outer packet has {need} bytes, the underlay from {trial.source_host} to {trial.target_host} "
            f"passes at most {beneath.largest}, and {arrived} fragments arrived."
        )
        return Verdict.FAIL, TOO_BIG, text

    def transfer(self, trial: Trial) -> Judged:
        """Whether as many bytes as a page or an image has get through by TCP."""
        e = self.evidence(trial)
        unsound = self._unsound(trial, e)
        if unsound:
            return _unknown(unsound)
        if e.bulk is None or e.control is None:
            return _unknown("no transfer was tried")
        if e.bulk.responder:
            complete = e.bulk.responder == trial.target and e.bulk.moved == e.bulk.size > 0
            return (Verdict.PASS, FITS, "") if complete else _unknown(f"{e.bulk.responder} answered in place of {trial.target}")
        if e.control.responder != trial.target:
            return _unknown(
                f"not even {e.control.size} bytes get through from {trial.source} to {trial.target} by TCP ({_how(e.control)}): "
                f"that is no matter of size, see reach{self._without_esp(trial)}"
            )
        return self._stalled(trial, e.bulk)

    def _stalled(self, trial: Trial, bulk: BulkEvidence) -> Judged:
        moved = f"{bulk.moved or 'none'} of {bulk.size} bytes were acknowledged"
        if bulk.outcome != "timed_out":
            return _unknown(f"the transfer ended early ({_how(bulk)}); {moved}")
        if bulk.moved >= bulk.size:
            return _unknown(f"{moved}, yet {trial.target}'s listener did not say so")
        if bulk.idle_ms is None or bulk.idle_ms < STALLED * self.plan.timeout * 1000:
            return _unknown(f"the transfer was still under way after four times the time-out; {moved}")
        text = (
            f"A transfer from {trial.source} to {trial.target} stalls, while a few bytes get through: {moved}, and nothing more "
            f"for the last {bulk.idle_ms / 1000:.1f} s{self._beneath_text(trial)}."
        )
        return Verdict.FAIL, TOO_BIG, text

    def _unsound(self, trial: Trial, e: MtuEvidence) -> str:
        m = self.measured
        for id_, host in ((trial.source, trial.source_host), (trial.target, trial.target_host)):
            endpoint = self.plan.endpoints.get(id_)
            if host in m.dead_hosts:
                return f"the agent on {host} is gone ({m.dead_hosts[host]})"
            reason = m.dead_endpoints.get(id_) or (endpoint.impaired if endpoint else "it is not known")
            if reason:
                return f"{id_} cannot vouch for anything ({reason})"
        return f"{trial.source} could not send ({e.error})" if e.error else ""

    def _without_esp(self, trial: Trial) -> str:
        without = [h for h in (trial.source_host, trial.target_host) if "esp" in self.measured.lacks.get(h, ())]
        if not without or not self.encrypted(trial):
            return ""
        return f"; the kernel of {' and '.join(without)} has no ESP, and without it an encrypted overlay carries nothing"

    def _beneath_text(self, trial: Trial) -> str:
        beneath = self.beneath(trial)
        if beneath is None:
            return ""
        return f"; its outer packet would have {self.needs(trial)} bytes, and the underlay passes {beneath.largest}"

    def _shown(self, trial: Trial) -> dict[str, object]:
        e, beneath = self.evidence(trial), self.beneath(trial)
        shown: dict[str, object] = {k: v for k, v in asdict(e).items() if k not in ("trial", "control", "bulk")}
        outer = self.needs(trial) if e.mtu else None
        arrived = self.measured.fragments.get(trial.target_host)
        path = beneath.largest if beneath else None
        return {**shown, "address": trial.address, "outer": outer, "underlay": path, "fragments_arrived": arrived}

    def _moved(self, trial: Trial) -> dict[str, object]:
        e = self.evidence(trial)
        shown: dict[str, object] = asdict(e.bulk) if e.bulk else {}
        controls = [{"proves": "a few bytes get through", "outcome": e.control.outcome, "latency_ms": e.control.ms}] if e.control else []
        return {**shown, "address": trial.address, "error": e.error, "controls": controls}

    def _check(self, trial: Trial, part: str, protocol: str, judged: Judged, evidence: dict[str, object]) -> Check:
        verdict, observed, text = judged
        source, target = (self.plan.endpoints[id_] for id_ in (trial.source, trial.target))
        expected, because = (trial.expectation.expected, trial.expectation.because) if trial.expectation else (FITS, "")
        return Check(
            f"mtu:{trial.network}@{trial.source_host}->{trial.target_host}{part}", "mtu", trial.source, trial.target, trial.network,
            protocol, 0, expected, observed, verdict, because, text, owner(source), owner(target), trial.source_host, trial.target_host,
            evidence,
        )  # fmt: skip


def _unknown(reason: str) -> Judged:
    return Verdict.INCONCLUSIVE, UNKNOWN, f"Not proven: {reason}."


def _no_control(trial: Trial, e: MtuEvidence) -> str:
    if e.small:
        return f"{e.responder or 'a stranger'} answered in place of {trial.target}"
    why = f" ({e.detail})" if e.detail else ""
    return f"not even small packets from {trial.source} to {trial.target} are acknowledged{why}: that is no matter of size, see reach"


def _how(bulk: BulkEvidence) -> str:
    return f"{bulk.outcome} {bulk.detail}".strip()
