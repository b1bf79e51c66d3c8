"""From what was measured of sizes to checks: two for each size probe over an overlay."""

from __future__ import annotations

from collections.abc import Iterator

from swarmlab.model.check import Check
from swarmlab.model.check_evidence.base import CheckEvidence
from swarmlab.model.check_evidence.mtu import NoTransferEvidence, SizeEvidence, TransferControl, TransferEvidence
from swarmlab.model.expectation import Expectation
from swarmlab.model.ids import check_id, pair
from swarmlab.model.judgement import Judgement
from swarmlab.model.kinds import Kind
from swarmlab.model.mtu import SizeProbe
from swarmlab.probes.mtu.datagram import judge_datagram
from swarmlab.probes.mtu.facts import Sizes
from swarmlab.probes.mtu.transfer import judge_transfer
from swarmlab.probes.session.endpoints import owner


def size_checks(sizes: Sizes) -> Iterator[Check]:
    """Datagrams, and a transfer."""
    for probe in sizes.plan.probes:
        if (e := probe.expectation) is not None:
            yield _check(sizes, probe, e, "", "udp", judge_datagram(sizes, probe), _sizes_shown(sizes, probe))
            yield _check(sizes, probe, e, "bulk", "tcp", judge_transfer(sizes, probe), _transfer_shown(sizes, probe))


def _check(
    sizes: Sizes,
    probe: SizeProbe,
    e: Expectation,
    part: str,
    protocol: str,
    judged: Judgement,
    evidence: CheckEvidence,
) -> Check:
    source, target = (sizes.plan.endpoints[id_] for id_ in (probe.source, probe.target))
    return Check(
        id=check_id(Kind.MTU, probe.network, on=pair(probe.source_host, probe.target_host), part=part),
        kind=str(Kind.MTU),
        source=probe.source,
        target=probe.target,
        network=probe.network,
        protocol=protocol,
        port=0,
        expected=e.expected,
        observed=judged.observed,
        verdict=judged.verdict,
        because=e.because,
        explanation=judged.explanation,
        source_service=owner(source),
        target_service=owner(target),
        source_host=probe.source_host,
        target_host=probe.target_host,
        evidence=evidence,
    )


def _sizes_shown(sizes: Sizes, probe: SizeProbe) -> SizeEvidence:
    e, underlay = sizes.evidence(probe), sizes.underlay_probe(probe)
    return SizeEvidence(
        error=e.error,
        interface=e.interface,
        mtu=e.mtu,
        small=e.small,
        full=e.full,
        largest=e.largest,
        exact=e.exact,
        tries=e.tries,
        responder=e.responder,
        detail=e.detail,
        address=probe.address,
        outer=sizes.needs(probe) if e.mtu else None,
        underlay=underlay.largest if underlay else None,
        fragments_arrived=sizes.measured.fragments.get(probe.target_host),
    )


def _transfer_shown(sizes: Sizes, probe: SizeProbe) -> CheckEvidence:
    e = sizes.evidence(probe)
    controls = (TransferControl("a few bytes get through", e.control.outcome, e.control.ms),) if e.control else ()
    if e.bulk is None:
        return NoTransferEvidence(address=probe.address, error=e.error, controls=controls)
    return TransferEvidence(
        size=e.bulk.size,
        responder=e.bulk.responder,
        moved=e.bulk.moved,
        ms=e.bulk.ms,
        idle_ms=e.bulk.idle_ms,
        outcome=e.bulk.outcome,
        detail=e.bulk.detail,
        address=probe.address,
        error=e.error,
        controls=controls,
    )
