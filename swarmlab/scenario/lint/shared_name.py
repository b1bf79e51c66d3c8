"""One name for two services: the DNS server answers with the addresses of one, of the other, or of both."""

from __future__ import annotations

from collections.abc import Iterator

from swarmlab.model.scenario import Scenario
from swarmlab.scenario.complaints import quoted
from swarmlab.scenario.lint.rule import Warning_


def shared_name(scenario: Scenario) -> Iterator[Warning_]:
    """Warn about a name or alias that another service on the same network has as well."""
    owners: dict[tuple[str, str], str] = {}
    for service in scenario.services.values():
        for key, names in service.networks.items():
            for name in {service.name, *names}:
                owner = owners.setdefault((key, name), service.name)
                if owner != service.name:
                    text = f"the name {quoted(name)} on {key} belongs to {owner} as well"
                    yield service.place, f"service {service.name}: {text}"
