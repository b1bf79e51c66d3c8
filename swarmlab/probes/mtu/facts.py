"""What a measurement of sizes tells about one size probe, without knowing what is expected."""

from __future__ import annotations

from swarmlab.model.kinds import ESP
from swarmlab.model.mtu import UNDERLAY, MtuEvidence, MtuMeasurement, MtuPlan, SizeProbe, needed
from swarmlab.model.scenario import Scenario


class Sizes:
    """Answers about one run's size probes."""

    def __init__(self, scenario: Scenario, plan: MtuPlan, measured: MtuMeasurement) -> None:
        self.scenario, self.plan, self.measured = scenario, plan, measured
        self._underlay_probes = {(t.source_host, t.target_host): t for t in plan.probes if t.network == UNDERLAY}

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

    def unsound(self, probe: SizeProbe) -> str:
        """Why nothing can be said about sizes; "" when both ends can vouch and the sender could send."""
        m, error = self.measured, self.evidence(probe).error
        for id_, host in ((probe.source, probe.source_host), (probe.target, probe.target_host)):
            endpoint = self.plan.endpoints.get(id_)
            if host in m.dead_hosts:
                return f"the agent on {host} is gone ({m.dead_hosts[host]})"
            reason = m.dead_endpoints.get(id_) or (endpoint.impaired if endpoint else "it is not known")
            if reason:
                return f"{id_} cannot vouch for anything ({reason})"
        return f"{probe.source} could not send ({error})" if error else ""

    def without_esp(self, probe: SizeProbe) -> str:
        """That a kernel has no ESP, as the end of a sentence; "" where none is needed, or both have it."""
        missing = self.measured.missing_features
        without = [h for h in (probe.source_host, probe.target_host) if ESP in missing.get(h, ())]
        if not without or not self.encrypted(probe):
            return ""
        kernel = f"the kernel of {' and '.join(without)}"
        return f"; {kernel} has no ESP, and without it an encrypted overlay carries nothing"

    def outer_text(self, probe: SizeProbe) -> str:
        """How the outer packet compares with the underlay, as the end of a sentence; "" where that is not known."""
        underlay = self.underlay_probe(probe)
        if underlay is None:
            return ""
        return f"; its outer packet would have {self.needs(probe)} bytes, and the underlay passes {underlay.largest}"
