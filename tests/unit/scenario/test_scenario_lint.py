"""Warnings, one case each, and silence where there is nothing to say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from swarmlab.model.scenario import Scenario
from swarmlab.scenario import lint, warnings
from swarmlab.scenario.lint.rules import RULES

Read = Callable[..., Scenario]
ON_N = "services: {a: {image: x, networks: [n]}}\n"

FORMAT = Path(__file__).parents[3] / "docs" / "scenario-format.md"
SHARED = {"__init__", "document", "rule", "rules"}  # files of the room that are no rules
CASES = {
    "encrypted all the same": ("encrypts all the same", ON_N + 'networks: {n: {driver_opts: {encrypted: "false"}}}'),
    "encrypt": ("did you mean `encrypted`", ON_N + 'networks: {n: {driver_opts: {encrypt: ""}}}'),
    "Encrypted": ("did you mean `encrypted`", ON_N + 'networks: {n: {driver_opts: {Encrypted: ""}}}'),
    "encryption": ("did you mean `encrypted`", ON_N + 'networks: {n: {driver_opts: {encryption: ""}}}'),
    "unused": ("nobody uses it", ON_N + "networks: {n: , m: }"),
    "unused local": ("no container is on it", "services: {a: {image: x}}\nx-swarmlab: {local_networks: {lan: }}"),
    "overlap": (
        "overlaps with 10.9.0.0/16 of n",
        "services: {a: {image: x, networks: [n, m]}}\n"
        "networks: {n: {ipam: {config: [{subnet: 10.9.0.0/16}]}}, m: {ipam: {config: [{subnet: 10.9.3.0/24}]}}}",
    ),
    "published twice": (
        "published by a already",
        'services: {a: {image: x, ports: ["80:80"]}, b: {image: x, ports: ["80:81"]}}',
    ),
    "published inside": (
        "all its networks are internal",
        'services: {a: {image: x, ports: ["80:80"]}}\nnetworks: {default: {internal: true}}',
    ),
    "mesh without address": (
        "need `endpoint_mode: vip`",
        'services: {a: {image: x, ports: ["80:80"], deploy: {endpoint_mode: dnsrr}}}',
    ),
    "attachable": ("any container on any node", ON_N + "networks: {n: {attachable: true}}"),
    "aliases": (
        "belongs to a as well",
        "services: {a: {image: x, networks: {default: {aliases: [c]}}}, c: {image: x}}",
    ),
    "no tasks": ("it has no tasks", "services: {a: {image: x, deploy: {replicas: 0}}}"),
    "host network": ("its host's own network", ON_N + "networks: {n: {external: true, name: host}}"),
    "ignored": ("Swarm ignores", "services: {a: {image: x, container_name: b}}"),
    "env_file": ("looked for on the manager", "services: {a: {image: x, env_file: e}}"),
}
WITHOUT_PLACE = {
    "secret": ("use --stand-in", "services: {a: {image: x}}\nsecrets: {pg: {file: ./pg.txt}}"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_warning(read_yaml: Read, case: str) -> None:
    wanted, text = CASES[case]
    found = warnings(read_yaml(text))
    assert [wanted in message for _, message in found] == [True], found
    assert found[0][0] is not None


def test_nothing_to_say(read_yaml: Read) -> None:
    options = 'driver_opts: {encrypted: "", com.docker.network.driver.mtu: "1400"}'
    text = ON_N + f"networks: {{n: {{{options}, ipam: {{config: [{{subnet: 10.9.0.0/24}}]}}}}}}"
    assert warnings(read_yaml(text)) == []


def test_files_of_secrets_and_configs(read_yaml: Read) -> None:
    secrets = "secrets: {pg: {file: ./pg.txt}, ca: {external: true}}"
    text = f"services: {{a: {{image: x}}}}\n{secrets}\nconfigs: {{site: {{file: site.conf}}}}"
    assert [(place, message.split(",")[0]) for place, message in warnings(read_yaml(text))] == [
        (None, "configs: site: the file is looked for on the manager"),
        (None, "secrets: pg: the file is looked for on the manager"),
    ]


def test_every_rule_has_a_case(read_yaml: Read) -> None:
    scenarios = [read_yaml(text) for _, text in (CASES | WITHOUT_PLACE).values()]
    assert [rule.id for rule in RULES if not any(list(rule.check(scenario)) for scenario in scenarios)] == []


def test_every_rule_is_in_the_table_and_is_described() -> None:
    files = {path.stem for path in Path(lint.__path__[0]).glob("*.py")} - SHARED
    assert {rule.check.__module__.rpartition(".")[2] for rule in RULES} == files
    assert [rule.id for rule in RULES] == [rule.check.__name__.replace("_", "-") for rule in RULES]
    page = FORMAT.read_text(encoding="utf-8")
    assert [rule.id for rule in RULES if f"| `{rule.id}` | {rule.title} |" not in page] == []
