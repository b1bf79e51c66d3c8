"""Nodes carry what a scenario's file calls their hosts, whatever these are called."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

from swarmlab.engine.client import Engine
from swarmlab.engine.swarm import _label


def test_the_second_host_is_host2_for_placement_constraints_by_any_name() -> None:
    specs: dict[str, dict[str, Any]] = {
        node: {"Role": "worker", "Labels": {"disk": "ssd"}, "Availability": "active"} for node in ("n1", "n2")
    }
    api = SimpleNamespace(
        inspect_node=lambda node: {"Spec": specs[node], "Version": {"Index": 1}},
        update_node=lambda node, version, spec: specs.update({node: spec}),
    )
    leader = cast(Engine, SimpleNamespace(errors=lambda what: nullcontext(), api=api))
    _label(leader, {"alpha": "n1", "beta-2": "n2"}, {"alpha"})
    assert [spec["Labels"] for spec in specs.values()] == [
        {"disk": "ssd", "swarmlab.host": "host1"},
        {"disk": "ssd", "swarmlab.host": "host2"},
    ]
    assert [spec["Role"] for spec in specs.values()] == ["manager", "worker"]
