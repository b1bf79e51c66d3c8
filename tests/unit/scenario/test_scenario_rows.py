"""What shipped scenarios expect fits the row of its kind."""

from __future__ import annotations

import pytest

from swarmlab import scenario as scenarios
from swarmlab.model.kinds import Kind
from swarmlab.scenario.derive import promises

SHIPPED = [entry.name for entry in scenarios.catalogue()]


@pytest.mark.parametrize("name", SHIPPED)
def test_expectations_fit_the_row_of_their_kind(name: str) -> None:
    found = scenarios.read(scenarios.find(name)).expectations
    for e in found:
        assert not e.kind.row.values or e.expected in e.kind.row.values, e
        assert e.kind.row.names or not e.name, e
    assert {e.kind for e in found} >= {e.kind for e in promises()}


def test_a_promise_gives_its_reason() -> None:
    assert {kind for kind in Kind if kind.row.promised} == {kind for kind in Kind if kind.row.because}
