"""DNS messages: honest answers are understood, anything else is refused without an accident."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmlab.agent.probing import dns

IDENT = 0x1234
IDS = frozenset({IDENT})


def answered(query: bytes, records: bytes, count: int, flags: int = 0x8180) -> bytes:
    """An answer to `query`."""
    return query[:2] + struct.pack("!5H", flags, 1, count, 0, 0) + query[12:] + records


def record(owner: bytes, kind: int, data: bytes) -> bytes:
    """One resource record."""
    return owner + struct.pack("!HHIH", kind, 1, 60, len(data)) + data


def test_a_records_are_found_behind_an_alias() -> None:
    query = dns.question(IDENT, "db")
    alias = record(b"\xc0\x0c", 5, b"\x04real\xc0\x0c")
    address = record(b"\xc0\x20", 1, socket.inet_aton("10.0.2.3"))
    assert dns.read(answered(query, alias + address, 2), IDS, "db") == dns.Reply("NOERROR", ("10.0.2.3",), False)


@pytest.mark.parametrize(
    ("number", "name"), [(0, "NOERROR"), (2, "SERVFAIL"), (3, "NXDOMAIN"), (5, "REFUSED"), (11, "RCODE11")]
)
def test_rcodes_have_names(number: int, name: str) -> None:
    found = dns.read(answered(dns.question(IDENT, "db"), b"", 0, 0x8180 | number), IDS, "db")
    assert found is not None and found.rcode == name


def test_case_does_not_matter_but_the_question_does() -> None:
    message = answered(dns.question(IDENT, "DB"), b"", 0)
    assert dns.read(message, IDS, "db") is not None
    assert dns.read(message, IDS, "db2") is None


@pytest.mark.parametrize(
    "change",
    [
        lambda m: b"\x99\x99" + m[2:],  # another identifier
        lambda m: m[:2] + b"\x01\x80" + m[4:],  # a question, not an answer
        lambda m: m[:4] + b"\0\2" + m[6:],  # two questions
        lambda m: m[:12] + b"\xc0\x0c" + m[14:],  # a name that points to itself
        lambda m: m[:11],
    ],
)
def test_what_is_not_the_answer_is_ignored(change: object) -> None:
    message = answered(dns.question(IDENT, "db"), b"", 0)
    assert dns.read(change(message), IDS, "db") is None  # type: ignore[operator]


@pytest.mark.parametrize("name", ["", ".", "a..b", "x" * 64, ".".join(["abcdefg"] * 40)])
def test_what_is_no_name_cannot_be_asked(name: str) -> None:
    with pytest.raises(dns.Malformed, match="not a DNS name"):
        dns.question(IDENT, name)


def test_a_final_dot_changes_nothing() -> None:
    assert dns.question(IDENT, "db.example.") == dns.question(IDENT, "db.example")


@given(st.binary(max_size=600))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    dns.read(data, IDS, "db")


@given(st.binary(max_size=300), st.integers(0, 65535))
def test_arbitrary_records_never_raise(tail: bytes, count: int) -> None:
    found = dns.read(answered(dns.question(IDENT, "db"), tail, count), IDS, "db")
    assert found is None or len(found.addresses) <= len(tail) // 11


@given(st.lists(st.ip_addresses(v=4).map(str), max_size=40))
def test_every_address_comes_back_in_order(addresses: list[str]) -> None:
    records = b"".join(record(b"\xc0\x0c", 1, socket.inet_aton(a)) for a in addresses)
    found = dns.read(answered(dns.question(IDENT, "db"), records, len(addresses)), IDS, "db")
    assert found is not None and list(found.addresses) == addresses
