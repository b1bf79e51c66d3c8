"""What a scenario needs of the kernels of its hosts, so that everything in it can be shown."""

from __future__ import annotations

from dataclasses import dataclass

from swarmlab.model.kinds import ESP, IPVS
from swarmlab.model.scenario import INGRESS, Scenario, Service

WORDS = {ESP: "ESP", IPVS: "IPVS"}
MOST_NAMED = 3


@dataclass(frozen=True)
class Need:
    """A kernel feature, and what of the scenario needs it."""

    feature: str
    who: tuple[str, ...]

    def __str__(self) -> str:
        """As in `no ESP, which network back-net needs`.

        >>> str(Need("ip_vs", ("service a", "service b")))
        'IPVS, which service a, service b need'
        """
        more = f" and {len(self.who) - MOST_NAMED} more" if len(self.who) > MOST_NAMED else ""
        need = "needs" if len(self.who) == 1 else "need"
        return f"{WORDS[self.feature]}, which {', '.join(self.who[:MOST_NAMED])}{more} {need}"


def needs(scenario: Scenario) -> tuple[Need, ...]:
    """ESP for encrypted overlays that cross hosts; IPVS for virtual addresses and for ports that every host answers."""
    used = {key for name in (*scenario.services, *scenario.containers) for key in scenario.networks_of(name)}
    encrypted = [
        key for key in scenario.networks if key in used and scenario.networks[key].encrypted and scenario.hosts > 1
    ]
    balanced = [service.name for service in scenario.services.values() if _balanced(service, scenario)]
    found = ((ESP, [f"network {key}" for key in encrypted]), (IPVS, [f"service {name}" for name in balanced]))
    return tuple(Need(feature, tuple(who)) for feature, who in found if who)


def _balanced(service: Service, scenario: Scenario) -> bool:
    overlays = [
        key for key in service.networks if key in scenario.networks and scenario.networks[key].driver == "overlay"
    ]
    return (service.endpoint_mode == "vip" and bool(overlays)) or any(port.mode == INGRESS for port in service.ports)
