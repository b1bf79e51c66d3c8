"""Verdicts on sizes: a full-size packet passes in one piece, a bulk transfer completes. What small ones cannot do is no
matter of size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from swarmlab.model.check import Check
from swarmlab.model.ids import check_id, pair
from swarmlab.model.judgement import Judgement, proven, unproven, violated
from swarmlab.model.kinds import ESP, FITS, Kind
from swarmlab.model.mtu import (
    TOO_BIG,
    UNDERLAY,
    BulkEvidence,
    MtuEvidence,
    MtuMeasurement,
    MtuPlan,
    SizeProbe,
    needed,
)
from swarmlab.model.scenario import Scenario
from swarmlab.probes.session.endpoints import owner

TRIES = 3  # full-size packets lost before that means anything
STALLED = 0.9  # of the time-out: a transfer of which nothing more was acknowledged for that long has stopped


class Sizes:
    """One run's size probes, judged."""

    def __init__(self, scenario: Scenario, plan: MtuPlan, measured: MtuMeasurement) -> None:
        self.scenario, self.plan, self.measured = scenario, plan, measured
        self._underlay_probes = {(t.source_host, t.target_host): t for t in plan.probes if t.network == UNDERLAY}

    def checks(self) -> Iterator[Check]:
        """Two per size probe over an overlay: datagrams, and a transfer."""
        for probe in self.plan.probes:
            if probe.expectation is not None:
                yield self._check(probe, "", "udp", self.datagram(probe), self._shown(probe))
                yield self._check(probe, "bulk", "tcp", self.transfer(probe), self._moved(probe))

    def evidence(self, probe: SizeProbe) -> MtuEvidence:
        """What was measured; a size probe without evidence has a sender that cannot vouch for anything."""
        return self.measured.evidence.get(probe.id, MtuEvidence(probe.id, error="nothing was measured"))

    def underlay_probe(self, probe: SizeProbe) -> MtuEvidence | None:
        """What passes in the same direction between the two hosts themselves; None when that could not be measured."""
        found = self._underlay_probes.get((probe.source_host, probe.target_host))
        evidence = self.evidence(found) if found is not None else None
        sound = found is not None and evidence is not None and evidence.small and evidence.responder == found.target
        return evidence if sound else None

    def encrypted(self, probe: SizeProbe) -> bool:
        """Whether ESP comes on top."""
        network = self.scenario.networks.get(probe.network)
        return network is not None and network.encrypted

    def needs(self, probe: SizeProbe) -> int:
        """The outer packet of a full-size one."""
        return needed(self.evidence(probe).mtu, encrypted=self.encrypted(probe))

    def datagram(self, probe: SizeProbe) -> Judgement:
        """Whether a packet as large as the overlay's MTU passes, and in one piece."""
        e = self.evidence(probe)
        unsound = self._unsound(probe, e)
        if unsound:
            return _unknown(unsound)
        if not e.small or e.responder != probe.target:
            return _unknown(_no_control(probe, e) + self._without_esp(probe))
        if e.full:
            return self._whole(probe, e)
        if e.tries < TRIES:
            return _unknown(f"the full size could be sent only {e.tries} times of {TRIES} ({e.detail or 'no detail'})")
        limit = f"the largest that passes is {e.largest}" if e.exact else f"{e.largest} bytes do pass"
        text = (
            f"A packet of {e.mtu} bytes, the MTU of {e.interface} in {probe.source}, was sent {e.tries} times to "
            f"{probe.target} and never arrived, while small ones did; {limit}{self._outer_text(probe)}."
        )
        return violated(TOO_BIG, text)

    def _whole(self, probe: SizeProbe, e: MtuEvidence) -> Judgement:
        """It arrived. VXLAN's outer packet may be fragmented on the way, which the inner one cannot tell."""
        arrived, underlay = self.measured.fragments.get(probe.target_host), self.underlay_probe(probe)
        if arrived == 0 or (underlay is not None and underlay.largest >= self.needs(probe)):
            return proven(FITS)
        doubt = self._perhaps_in_pieces(probe, e, arrived, underlay)
        if doubt or underlay is None:
            return _unknown(doubt)
        text = (
            f"A packet of {e.mtu} bytes passes from {probe.source} to {probe.target} only in fragments: its outer "
            f"packet has {self.needs(probe)} bytes, the underlay from {probe.source_host} to {probe.target_host} "
            f"passes at most {underlay.largest}, and {arrived} fragments arrived."
        )
        return violated(TOO_BIG, text)

    def _perhaps_in_pieces(
        self, probe: SizeProbe, e: MtuEvidence, arrived: int | None, underlay: MtuEvidence | None
    ) -> str:
        """Why it is not known whether it came in pieces; "" when it is known that it did."""
        silent = f"{probe.target_host} does not say whether fragments arrived"
        if underlay is None:
            seen = "fragments arrived there meanwhile" if arrived else silent
            return (
                f"a packet of {e.mtu} bytes passes from {probe.source} to {probe.target}, but perhaps in pieces: "
                f"{seen}, and no path MTU could be measured between the hosts"
            )
        if not arrived:
            return f"the underlay passes {underlay.largest} bytes of {self.needs(probe)}, and {silent}"
        if underlay.tries < TRIES or underlay.full or not underlay.exact:
            return f"the path MTU from {probe.source_host} to {probe.target_host} was not found within the time-out"
        return ""

    def transfer(self, probe: SizeProbe) -> Judgement:
        """Whether as many bytes as a page or an image has get through by TCP."""
        e = self.evidence(probe)
        unsound = self._unsound(probe, e)
        if unsound:
            return _unknown(unsound)
        if e.bulk is None or e.control is None:
            return _unknown("no transfer was tried")
        if e.bulk.responder:
            complete = e.bulk.responder == probe.target and e.bulk.moved == e.bulk.size > 0
            other = f"{e.bulk.responder} answered in place of {probe.target}"
            return proven(FITS) if complete else _unknown(other)
        if e.control.responder != probe.target:
            return _unknown(
                f"not even {e.control.size} bytes get through from {probe.source} to {probe.target} by TCP "
                f"({_how(e.control)}): that is no matter of size, see reach{self._without_esp(probe)}"
            )
        return self._stalled(probe, e.bulk)

    def _stalled(self, probe: SizeProbe, bulk: BulkEvidence) -> Judgement:
        moved = f"{bulk.moved or 'none'} of {bulk.size} bytes were acknowledged"
        if bulk.outcome != "timed_out":
            return _unknown(f"the transfer ended early ({_how(bulk)}); {moved}")
        if bulk.moved >= bulk.size:
            return _unknown(f"{moved}, yet {probe.target}'s listener did not say so")
        if bulk.idle_ms is None or bulk.idle_ms < STALLED * self.plan.timeout * 1000:
            return _unknown(f"the transfer was still under way after four times the time-out; {moved}")
        text = (
            f"A transfer from {probe.source} to {probe.target} stalls, while a few bytes get through: {moved}, and "
            f"nothing more for the last {bulk.idle_ms / 1000:.1f} s{self._outer_text(probe)}."
        )
        return violated(TOO_BIG, text)

    def _unsound(self, probe: SizeProbe, e: MtuEvidence) -> str:
        m = self.measured
        for id_, host in ((probe.source, probe.source_host), (probe.target, probe.target_host)):
            endpoint = self.plan.endpoints.get(id_)
            if host in m.dead_hosts:
                return f"the agent on {host} is gone ({m.dead_hosts[host]})"
            reason = m.dead_endpoints.get(id_) or (endpoint.impaired if endpoint else "it is not known")
            if reason:
                return f"{id_} cannot vouch for anything ({reason})"
        return f"{probe.source} could not send ({e.error})" if e.error else ""

    def _without_esp(self, probe: SizeProbe) -> str:
        missing = self.measured.missing_features
        without = [h for h in (probe.source_host, probe.target_host) if ESP in missing.get(h, ())]
        if not without or not self.encrypted(probe):
            return ""
        kernel = f"the kernel of {' and '.join(without)}"
        return f"; {kernel} has no ESP, and without it an encrypted overlay carries nothing"

    def _outer_text(self, probe: SizeProbe) -> str:
        underlay = self.underlay_probe(probe)
        if underlay is None:
            return ""
        return f"; its outer packet would have {self.needs(probe)} bytes, and the underlay passes {underlay.largest}"

    def _shown(self, probe: SizeProbe) -> dict[str, object]:
        e, underlay_probe = self.evidence(probe), self.underlay_probe(probe)
        shown: dict[str, object] = {k: v for k, v in asdict(e).items() if k not in ("probe", "control", "bulk")}
        outer = self.needs(probe) if e.mtu else None
        arrived = self.measured.fragments.get(probe.target_host)
        path = underlay_probe.largest if underlay_probe else None
        return {**shown, "address": probe.address, "outer": outer, "underlay": path, "fragments_arrived": arrived}

    def _moved(self, probe: SizeProbe) -> dict[str, object]:
        e = self.evidence(probe)
        shown: dict[str, object] = asdict(e.bulk) if e.bulk else {}
        controls = (
            [{"proves": "a few bytes get through", "outcome": e.control.outcome, "latency_ms": e.control.ms}]
            if e.control
            else []
        )
        return {**shown, "address": probe.address, "error": e.error, "controls": controls}

    def _check(
        self, probe: SizeProbe, part: str, protocol: str, judged: Judgement, evidence: dict[str, object]
    ) -> Check:
        source, target = (self.plan.endpoints[id_] for id_ in (probe.source, probe.target))
        expected, because = (probe.expectation.expected, probe.expectation.because) if probe.expectation else (FITS, "")
        return Check(
            id=check_id(Kind.MTU, probe.network, on=pair(probe.source_host, probe.target_host), part=part),
            kind=str(Kind.MTU),
            source=probe.source,
            target=probe.target,
            network=probe.network,
            protocol=protocol,
            port=0,
            expected=expected,
            observed=judged.observed,
            verdict=judged.verdict,
            because=because,
            explanation=judged.explanation,
            source_service=owner(source),
            target_service=owner(target),
            source_host=probe.source_host,
            target_host=probe.target_host,
            evidence=evidence,
        )


def _unknown(reason: str) -> Judgement:
    return unproven(f"Not proven: {reason}.")


def _no_control(probe: SizeProbe, e: MtuEvidence) -> str:
    if e.small:
        return f"{e.responder or 'a stranger'} answered in place of {probe.target}"
    why = f" ({e.detail})" if e.detail else ""
    lost = f"not even small packets from {probe.source} to {probe.target} are acknowledged{why}"
    return f"{lost}: that is no matter of size, see reach"


def _how(bulk: BulkEvidence) -> str:
    return f"{bulk.outcome} {bulk.detail}".strip()
