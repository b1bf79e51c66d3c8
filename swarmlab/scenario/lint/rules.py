"""The table of all rules; docs/adding-a-lint-rule.md says how to add one."""

from __future__ import annotations

from swarmlab.errors import Place
from swarmlab.model.scenario import Scenario
from swarmlab.scenario.lint.attachable import attachable
from swarmlab.scenario.lint.encrypted_option import encrypted_option
from swarmlab.scenario.lint.file_not_carried import file_not_carried
from swarmlab.scenario.lint.ignored_key import ignored_key
from swarmlab.scenario.lint.ingress_without_vip import ingress_without_vip
from swarmlab.scenario.lint.nothing_to_prove import nothing_to_prove
from swarmlab.scenario.lint.overlapping_subnets import overlapping_subnets
from swarmlab.scenario.lint.port_on_internal import port_on_internal
from swarmlab.scenario.lint.port_published_twice import port_published_twice
from swarmlab.scenario.lint.rule import Rule, Warning_
from swarmlab.scenario.lint.shared_name import shared_name
from swarmlab.scenario.lint.unused_network import unused_network

RULES = (
    Rule(
        "encrypted-option", encrypted_option, "`encrypted` with a value that says no, or an option that looks like it"
    ),
    Rule("unused-network", unused_network, "a network that nobody is on"),
    Rule("overlapping-subnets", overlapping_subnets, "two networks with addresses in common"),
    Rule("port-published-twice", port_published_twice, "one port of the hosts, published by two services"),
    Rule("port-on-internal", port_on_internal, "published ports of a service on internal networks only"),
    Rule("ingress-without-vip", ingress_without_vip, "a port in mode `ingress` together with `endpoint_mode: dnsrr`"),
    Rule("attachable", attachable, "`attachable` that nothing in the file needs"),
    Rule("shared-name", shared_name, "one name for two services on one network"),
    Rule("nothing-to-prove", nothing_to_prove, "a service about which little or nothing is checked"),
    Rule("ignored-key", ignored_key, "a key that Swarm ignores, or that needs a file of your machine"),
    Rule("file-not-carried", file_not_carried, "a secret or config out of a file of your machine"),
)


def warnings(scenario: Scenario) -> list[Warning_]:
    """What all rules say, in the order of the file; what is about the file as a whole comes first."""
    found = [warning for rule in RULES for warning in rule.check(scenario)]
    return sorted(found, key=lambda item: (item[0] is not None, item[0] or Place("", 0, 0), item[1]))
