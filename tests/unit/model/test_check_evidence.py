"""Evidence of every shape: read again it is the same; edited by hand it is no error, and nothing of it is lost."""

from __future__ import annotations

import json

import pytest

from swarmlab.model.check import Check
from swarmlab.model.check_evidence import saved
from swarmlab.model.check_evidence.base import CheckEvidence, NothingMeasured, PlainEvidence
from swarmlab.model.check_evidence.mtu import NoTransferEvidence
from swarmlab.model.check_evidence.wire import WireEvidence
from tests.unit.probes import test_ids, test_judge_mtu
from tests.unit.probes.labs import THREE_TIER, honest, judge, three_tier


def every_shape() -> dict[str, Check]:
    """One check of each kind and shape of evidence, as stages make them."""
    sizes = test_judge_mtu.honest()
    checks = [
        *judge(THREE_TIER, three_tier(), honest(three_tier())),
        *test_ids.traffic_and_network(),
        *test_ids.publish(),
        *test_judge_mtu.judged(sizes).values(),
        *test_judge_mtu.judged(test_judge_mtu.changed(sizes, test_judge_mtu.BACK, bulk=None)).values(),
        *test_ids.wire(),
    ]
    return {f"{check.kind} {type(check.evidence).__name__}": check for check in checks}


SHAPES = every_shape()


def test_all_shapes_are_here() -> None:
    made = {type(check.evidence) for check in SHAPES.values()}
    assert made == {shape for shapes in saved.SHAPES.values() for shape in shapes} | {NothingMeasured}


@pytest.mark.parametrize("name", SHAPES)
def test_written_and_read_again_it_is_the_same(name: str) -> None:
    check = SHAPES[name]
    text = json.dumps(check.evidence.to_json(), allow_nan=False)
    again = saved.read(check.kind, json.loads(text))
    assert (type(again), again) == (type(check.evidence), check.evidence)
    assert json.dumps(again.to_json()) == text
    assert list(again.rows()) == list(check.evidence.rows())


ODD: tuple[object, ...] = (None, True, -3, 0.5, "text", [], [1, "a", None], {}, {"a": [1]}, [{"proves": 3}], [[["x"]]])


@pytest.mark.parametrize("name", SHAPES)
def test_edited_by_hand_it_is_never_an_error_and_nothing_of_it_is_lost(name: str) -> None:
    check = SHAPES[name]
    data = check.evidence.to_json()
    edited = [{**data, key: odd} for key in data for odd in ODD]
    edited += [{key: value for key, value in data.items() if key != left_out} for left_out in data]
    edited += [{**data, "of a later version": {"a": 1}}, {"nothing": "known"}]
    for given in edited:
        read = saved.read(check.kind, given)
        assert list(read.to_json().items()) == list(given.items())
        assert all(isinstance(part, str) for row in read.rows() for part in row)
        assert isinstance(read.readable, str)
        assert all(isinstance(count, int) for count in read.counted("encrypted").values())


def test_a_kind_that_is_not_known_keeps_its_values_and_shows_them() -> None:
    read = saved.read("of a later version", {"offset_ms": 3, "servers": ["a", "b"], "unset": None})
    assert read == PlainEvidence(values={"offset_ms": 3, "servers": ["a", "b"], "unset": None})
    assert list(read.rows()) == [("offset ms", "3"), ("servers", "a, b")]


@pytest.mark.parametrize(
    ("kind", "data", "shape"),
    [
        ("mtu", {"address": "10.0.0.2", "error": "no route", "controls": []}, NoTransferEvidence),
        ("wire", {"excerpt": "GET /"}, WireEvidence),
        ("reach", {}, NothingMeasured),
    ],
)
def test_the_shape_is_known_by_its_keys(kind: str, data: dict[str, object], shape: type[CheckEvidence]) -> None:
    assert type(saved.read(kind, data)) is shape
