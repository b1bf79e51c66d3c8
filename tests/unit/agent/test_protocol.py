"""The protocol's codec: what one side writes the other reads, what does not fit is told, and no host's lie gets in."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swarmlab.agent.loop import Loop
from swarmlab.agent.main import Agent
from swarmlab.agent.protocol import bounds, mtu, probing, wire
from swarmlab.agent.protocol.codec import MISFITS, decode
from swarmlab.agent.protocol.message import ErrorAnswer, Request, pack, unpack
from swarmlab.agent.protocol.readers import Misfit
from tests.unit.agent.messages import ANSWERS, JSON, REQUESTS, values

DEEP = json.loads("[" * 400 + "]" * 400)


def body(line: bytes) -> dict[str, Any]:
    """A line's JSON object without its `op`."""
    found = unpack(line)
    assert isinstance(found, dict)
    return {key: value for key, value in found.items() if key != "op"}


def complaint(kind: type[Any], value: object) -> str:
    with pytest.raises(Misfit) as caught:
        decode(kind, value)
    return str(caught.value)


@pytest.mark.parametrize("kind", [*REQUESTS, *ANSWERS, ErrorAnswer])
def test_what_is_written_is_read_the_same(kind: type[Any]) -> None:
    @settings(max_examples=30, deadline=None)
    @given(values(kind))
    def holds(message: Any) -> None:
        assert decode(kind, body(pack("op", message))) == message
        assert decode(kind, body(pack("op", message)), strict=False) == message

    holds()


@pytest.mark.parametrize("kind", ANSWERS)
def test_whatever_a_host_tells_what_is_read_of_it_fits(kind: type[Any]) -> None:
    """Junk alone, and junk in place of any field of a good answer."""

    @settings(max_examples=30, deadline=None)
    @given(values(kind), st.dictionaries(st.sampled_from([*kind.__dataclass_fields__, "else"]), JSON))
    def holds(good: Any, junk: dict[str, Any]) -> None:
        for told in ({**body(pack("op", good)), **junk}, junk):
            found = decode(kind, told, strict=False)
            sound = replace(found, **{MISFITS: 0}) if hasattr(found, MISFITS) else found
            assert decode(kind, body(pack("op", found))) == sound

    holds()


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_request_is_answered_by_a_class_that_can_say_nothing(kind: type[Request[Any]]) -> None:
    assert kind.answer() == decode(kind.answer, {}, strict=False) or hasattr(kind.answer, MISFITS)


def test_each_request_has_an_operation_of_its_own() -> None:
    operations = [kind.op for kind in REQUESTS]
    assert len(set(operations)) == len(operations)
    unknown = decode(ErrorAnswer, body(Agent(Loop()).answer(b'{"op": "explode"}')))
    assert set(unknown.text.partition("expected one of ")[2].split(", ")) == set(operations)


PROBE = {"id": 1, "source": "api.1", "protocol": "tcp", "address": "10.0.0.1", "port": 5}
ENDPOINT = {"id": "api.1"}
NUMBER = "expected a number from"
BAD: list[tuple[type[Any], object, str]] = [
    (probing.Fire, [], "expected an object, got list"),
    (probing.Fire, {}, "timeout: expected a number from 0.001 to 120, got 'None'"),
    (probing.Fire, {"timeout": True}, "timeout: expected a number from 0.001 to 120, got 'True'"),
    (probing.Fire, {"timeout": float("nan")}, "timeout: expected a number from 0.001 to 120, got 'nan'"),
    (probing.Fire, {"timeout": 121}, "timeout: expected a number from 0.001 to 120, got '121'"),
    (probing.Fire, {"timeout": 1, "mood": 1}, "unknown field 'mood': expected names, probes, timeout"),
    (probing.Fire, {"timeout": 1, "probes": {}}, "probes: expected a list of at most 200000 objects, got dict"),
    (probing.Fire, {"timeout": 1, "probes": [DEEP]}, "probes: expected an object, got list"),
    (probing.Fire, {"timeout": 1, "probes": [PROBE, PROBE]}, "probes: an id occurs twice"),
    (probing.ProbeSpec, {**PROBE, "id": 1.0}, f"id: {NUMBER} 0 to 4294967294, got '1.0'"),
    (probing.ProbeSpec, {**PROBE, "id": True}, f"id: {NUMBER} 0 to 4294967294, got 'True'"),
    (probing.ProbeSpec, {**PROBE, "id": DEEP}, f"id: {NUMBER} 0 to 4294967294, got list"),
    (probing.ProbeSpec, {**PROBE, "port": 0}, f"port: {NUMBER} 1 to 65535, got '0'"),
    (probing.ProbeSpec, {**PROBE, "port": 65536}, f"port: {NUMBER} 0 to 65535, got '65536'"),
    (probing.ProbeSpec, {**PROBE, "protocol": "sctp"}, "protocol: expected one of tcp, udp, icmp, got 'sctp'"),
    (probing.ProbeSpec, {**PROBE, "address": "db; reboot"}, "address: 'db; reboot' is not an IP address"),
    (
        probing.ProbeSpec,
        {**PROBE, "source": "x" * 301},
        f"source: expected a string of at most 300 characters, got '{'x' * 40}'",
    ),
    (probing.EndpointSpec, {}, "id: expected a string of at most 300 characters, got 'None'"),
    (probing.EndpointSpec, {**ENDPOINT, "path": "x"}, "path: expected an absolute path, got 'x'"),
    (probing.EndpointSpec, {**ENDPOINT, "buffer": 0}, f"buffer: {NUMBER} 1 to 16777216, got '0'"),
    (
        probing.EndpointSpec,
        {**ENDPOINT, "extra_ports": list(range(1, 41)), "watched": list(range(50, 90))},
        "extra_ports and watched: expected fewer than 64 ports together",
    ),
    (probing.Open, {"run": "xyz", "port": 1}, "run: expected 16 hex digits, got 'xyz'"),
    (
        probing.NameSpec,
        {"id": 1, "source": "a", "name": "db", "accepted": [["no"]]},
        "accepted: 'no' is not an IP address",
    ),
    (mtu.SizeSpec, {"id": 65535, "source": "a", "address": "10.0.0.1"}, f"id: {NUMBER} 0 to 65534, got '65535'"),
    (wire.WireState, {"vnis": [0]}, f"vnis: {NUMBER} 1 to 16777215, got '0'"),
    (wire.WireState, {"forms": ["x"] * 11}, "forms: expected a list of at most 10 names, got list"),
    (
        wire.WireStart,
        {"tag": "no!", "data_port": 1, "port": 1},
        "tag: expected 8 to 24 lower-case letters and digits, got 'no!'",
    ),
    (
        wire.WireStart,
        {"tag": "swlb0011", "data_port": 1, "port": 1, "canaries": {"c": "short"}},
        "canaries: 'c': expected the tag and 16 hex digits",
    ),
    (wire.DatagramSpec, {"source": "a", "address": "::1", "payload": ""}, "address: '::1' is not an IPv4 address"),
    (wire.WireStopAnswer, {"pcap": "?"}, "pcap: expected base64"),
    (wire.WireStopAnswer, {"complete": 1}, "complete: expected true or false, got '1'"),
    (
        wire.WireStopAnswer,
        {"capture_dropped": {"x" * 301: 1}},
        "capture_dropped: expected names of at most 300 characters",
    ),
]


@pytest.mark.parametrize(("kind", "value", "text"), BAD, ids=[text[:60] for _, _, text in BAD])
def test_a_request_that_does_not_fit_is_told_where_and_what_was_expected(
    kind: type[Any], value: object, text: str
) -> None:
    assert complaint(kind, value) == text


def test_addresses_are_read_in_their_usual_spelling() -> None:
    spec = decode(probing.ProbeSpec, {**PROBE, "address": "FD00:0::1"})
    assert spec.address == "fd00::1"


def test_a_message_is_bounded_in_values_and_nesting() -> None:
    for line in (b"[" + b"0," * bounds.MAX_VALUES + b"0]", b"[]," * bounds.MAX_VALUES):
        with pytest.raises(Misfit, match="more than 3000000 values"):
            unpack(line)
    for line in (b"[" * 100_000, b'{"a":' * 100_000, b"{", b"\xff\xfe\x00"):
        with pytest.raises(Misfit, match="not JSON"):
            unpack(line)


def test_what_is_odd_in_an_answer_is_not_known() -> None:
    odd = {"id": 1, "outcome": 5, "left": "yes", "latency_ms": float("inf"), "sends": 1.5, "detail": "x" * 999}
    told = probing.Fire(1.0).read({"probes": [None, 7, {"id": True}, odd, {"id": 2, "asked": False}], "names": 3})
    assert told == probing.FireAnswer(
        (probing.ProbeResult(1, detail="x" * 300), probing.ProbeResult(2, asked=False)), ()
    )


def test_an_endpoint_of_which_nothing_is_told_is_not_taken_for_well() -> None:
    entries = [{"id": "a"}, {"id": "b", "error": {}}, {"id": "c", "error": ""}]
    assert probing.Open("0" * 16, 1).read({"endpoints": entries}).endpoints == (probing.EndpointResult("c", ""),)
    assert probing.Seen().read({"listeners": {"a": 5, "b": ""}}).listeners == {"b": ""}
    assert wire.WireStart("swlb0011", 1, 1).read({"error": 7}).error == wire.UNTOLD


def test_what_a_capture_tells_oddly_is_counted() -> None:
    good = wire.WireStopAnswer(packets=1, complete=True, counts=(wire.PacketCount("e", True, "a", "b", "esp", 1, 1),))
    told = body(pack("wire_stop", good))
    assert wire.WireStop().read(told) == good
    for change in ({"drops": None}, {"counts": "none"}, {"counts": [{"kind": "esp"}]}, {"pcap": "?"}):
        assert wire.WireStop().read({**told, **change}).misfits == 1
    assert wire.WireStop().read({}).misfits == len(told)


def test_a_list_that_is_too_long_is_cut_and_counted() -> None:
    many = {"left": ["c1"] * (bounds.ENTRIES.most + 7)}
    assert len(wire.WireLook().read(many).left) == bounds.ENTRIES.most
    count = body(pack("op", wire.PacketCount("e", True, "a", "b", "esp", 1, 1)))
    told = {**body(pack("op", wire.WireStopAnswer())), "counts": [count] * (bounds.ENTRIES.most + 7)}
    assert wire.WireStop().read(told).misfits == 7


def test_the_count_of_what_was_odd_is_never_sent_nor_taken() -> None:
    assert MISFITS not in body(pack("op", wire.WireStopAnswer(misfits=3)))
    assert wire.WireStop().read({**body(pack("op", wire.WireStopAnswer())), MISFITS: -5}).misfits == 0
