"""The routing mesh balances over virtual addresses, so the engine refuses a port in mode ingress without one."""

from __future__ import annotations

from collections.abc import Iterator

from swarmlab.model.scenario import Scenario
from swarmlab.scenario.lint.rule import Warning_


def ingress_without_vip(scenario: Scenario) -> Iterator[Warning_]:
    """Warn about ports in mode ingress of services with `endpoint_mode: dnsrr`."""
    for service in scenario.services.values():
        if service.endpoint_mode == "dnsrr" and any(port.mode == "ingress" for port in service.ports):
            text = "ports in ingress mode need `endpoint_mode: vip`; engines refuse them with dnsrr. Use `mode: host`"
            yield service.place, f"service {service.name}: {text}"
