"""What is made of captured packets."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from swarmlab.agent.kernel import constants
from swarmlab.agent.probing.packet_index import PacketIndex, key_of
from swarmlab.agent.protocol.nonce import answer, nonce
from tests.unit.agent.test_bpf import ip4, tcp

RUN = "0123456789abcdef"


def noted(*packets: tuple[bytes, bool]) -> PacketIndex:
    """A packet index that saw these IPv4 packets; True: outgoing."""
    index = PacketIndex(RUN)
    for packet, outgoing in packets:
        index.note(packet, constants.ETH_P_IP, outgoing, "eth0")
    return index


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
    index = noted((datagram(nonce(RUN, 7)), False), (datagram(answer(RUN, 7, "db.1"), 41000, 1), True), (echo, True))
    assert key_of("udp", 7, 0, 0) in index.seen and key_of("udp", 7, 0, 0) in index.answered
    assert key_of("icmp", 9, 0, 0) in index.left


def test_another_run_does_not_count() -> None:
    index = noted((datagram(nonce("f" * 16, 7)), False))
    assert not index.seen


def test_arp_questions_count_when_they_are_ours() -> None:
    question = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, b"", b"\x0a\0\0\1", b"", b"\x0a\0\0\2")
    index = PacketIndex(RUN)
    index.note(question, constants.ETH_P_ARP, False, "eth0")
    assert not index.asked
    index.note(question, constants.ETH_P_ARP, True, "eth0")
    assert index.asked == {b"\x0a\0\0\2"}


def test_what_was_asked_about_is_forgotten_and_what_came_since_is_kept() -> None:
    """Another agent may fire a moment before we do: its packets belong to the new round."""
    index = noted((datagram(nonce(RUN, 1)), False), (datagram(nonce(RUN, 2)), True))
    index.round += 1
    index.note(datagram(nonce(RUN, 3)), constants.ETH_P_IP, False, "eth0")
    index.forget()
    assert set(index.seen) == {key_of("udp", 3, 0, 0)}
    assert not index.left


@given(
    st.binary(max_size=130),
    st.sampled_from([constants.ETH_P_IP, constants.ETH_P_IPV6, constants.ETH_P_ARP]),
    st.booleans(),
)
def test_arbitrary_packets_never_raise(packet: bytes, ethertype: int, outgoing: bool) -> None:
    PacketIndex(RUN).note(packet, ethertype, outgoing, "eth0")
