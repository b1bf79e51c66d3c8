"""What is made of captured packets."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from swarmlab.agent import kernel
from swarmlab.agent.ledger import Ledger, key_of
from swarmlab.agent.protocol import answer, nonce
from tests.unit.agent.test_bpf import ip4, tcp

RUN = "0123456789abcdef"


def noted(*packets: tuple[bytes, bool]) -> Ledger:
    """A ledger that saw these IPv4 packets; True: outgoing."""
    ledger = Ledger(RUN)
    for packet, outgoing in packets:
        ledger.note(packet, kernel.ETH_P_IP, outgoing, "eth0")
    return ledger


def datagram(payload: bytes, source: int = 1, target: int = 41000) -> bytes:
    """UDP over IPv4."""
    return ip4(17, struct.pack("!HHHH", source, target, 8 + len(payload), 0) + payload)


def test_a_request_that_leaves_is_not_one_that_arrives() -> None:
    key = key_of("tcp", 0, 1, 41000)
    leaving, arriving = noted((ip4(6, tcp(1, 41000, 2)), True)), noted((ip4(6, tcp(1, 41000, 2)), False))
    assert key in leaving.left and key not in leaving.seen
    assert key in arriving.seen and key not in arriving.left


def test_syn_ack_and_rst_are_answers_of_the_target() -> None:
    for flags in (0x12, 0x14):
        assert key_of("tcp", 0, 1, 41000) in noted((ip4(6, tcp(41000, 1, flags)), True)).answered


def test_an_incoming_answer_is_no_answer_that_left() -> None:
    assert not noted((ip4(6, tcp(41000, 1, 0x12)), False), (datagram(answer(RUN, 5, "db.1"), 41000, 1), False)).answered


def test_udp_and_icmp_are_known_by_nonce() -> None:
    echo = ip4(1, b"\x08\0\0\0\0\0\0\0" + nonce(RUN, 9))
    ledger = noted((datagram(nonce(RUN, 7)), False), (datagram(answer(RUN, 7, "db.1"), 41000, 1), True), (echo, True))
    assert key_of("udp", 7, 0, 0) in ledger.seen and key_of("udp", 7, 0, 0) in ledger.answered
    assert key_of("icmp", 9, 0, 0) in ledger.left


def test_another_run_does_not_count() -> None:
    ledger = noted((datagram(nonce("f" * 16, 7)), False))
    assert not ledger.seen


def test_arp_questions_count_when_they_are_ours() -> None:
    question = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, b"", b"\x0a\0\0\1", b"", b"\x0a\0\0\2")
    ledger = Ledger(RUN)
    ledger.note(question, kernel.ETH_P_ARP, False, "eth0")
    assert not ledger.asked
    ledger.note(question, kernel.ETH_P_ARP, True, "eth0")
    assert ledger.asked == {b"\x0a\0\0\2"}


def test_what_was_asked_about_is_forgotten_and_what_came_since_is_kept() -> None:
    """Another agent may fire a moment before we do: its packets belong to the new round."""
    ledger = noted((datagram(nonce(RUN, 1)), False), (datagram(nonce(RUN, 2)), True))
    ledger.round += 1
    ledger.note(datagram(nonce(RUN, 3)), kernel.ETH_P_IP, False, "eth0")
    ledger.forget()
    assert set(ledger.seen) == {key_of("udp", 3, 0, 0)}
    assert not ledger.left


@given(st.binary(max_size=130), st.sampled_from([kernel.ETH_P_IP, kernel.ETH_P_IPV6, kernel.ETH_P_ARP]), st.booleans())
def test_arbitrary_packets_never_raise(packet: bytes, ethertype: int, outgoing: bool) -> None:
    Ledger(RUN).note(packet, ethertype, outgoing, "eth0")
