"""The capture's filter, run by an interpreter of our own: what is ours gets in, all else stays out."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmlab.agent.kernel import bpf, constants
from swarmlab.agent.protocol.bounds import MAX_PORTS
from swarmlab.agent.protocol.nonce import nonce

PORTS = [41000, 5432]
RUN = "0123456789abcdef"


def accepts(code: bytes, packet: bytes, ethertype: int) -> int:
    """As the kernel runs classic BPF: a load past the end rejects the packet."""
    a = x = place = 0
    while True:
        op, yes, no, k = struct.unpack_from("=HBBI", code, 8 * place)
        place += 1
        if op == bpf.RETURN:
            return int(k)
        if op in (bpf.EQUAL, bpf.ANY_BIT):
            place += yes if (a == k if op == bpf.EQUAL else bool(a & k)) else no
        elif op == bpf.LDX_IMM:
            x = k
        elif op == bpf.LD_WORD_ABS and k == bpf.ETHERTYPE:
            a = ethertype
        else:
            size = {0x00: 4, 0x08: 2, 0x10: 1}[op & 0x18]
            start = k + (x if op & 0xE0 == 0x40 else 0)
            if start + size > len(packet):
                return 0
            value = int.from_bytes(packet[start : start + size], "big")
            if op == bpf.LDX_HEADER:
                x = 4 * (value & 15)
            else:
                a = value


CODE = bpf.assemble(bpf.program(PORTS))


def ip4(protocol: int, body: bytes, options: int = 0, fragment: int = 0) -> bytes:
    """An IPv4 packet, without checksums."""
    head = struct.pack("!BBHHHBBH", 0x45 + options, 0, 20 + 4 * options + len(body), 0, fragment, 64, protocol, 0)
    return head + bytes(8 + 4 * options) + body


def tcp(source: int, target: int, flags: int) -> bytes:
    """A TCP header."""
    return struct.pack("!HHIIBBHHH", source, target, 0, 0, 0x50, flags, 0, 0, 0)


def udp(source: int, target: int) -> bytes:
    """A UDP header and our nonce."""
    return struct.pack("!HHHH", source, target, 24, 0) + nonce(RUN, 1)


def ip6(following: int, body: bytes) -> bytes:
    """An IPv6 packet."""
    return struct.pack("!IHBB", 6 << 28, len(body), following, 64) + bytes(32) + body


OURS = {
    "syn": (ip4(6, tcp(1, 41000, 0x02)), constants.ETH_P_IP),
    "syn-ack": (ip4(6, tcp(41000, 1, 0x12)), constants.ETH_P_IP),
    "rst": (ip4(6, tcp(41000, 1, 0x14)), constants.ETH_P_IP),
    "syn behind IP options": (ip4(6, tcp(1, 5432, 0x02), options=10), constants.ETH_P_IP),
    "request": (ip4(17, udp(1, 41000)), constants.ETH_P_IP),
    "answer": (ip4(17, udp(5432, 1)), constants.ETH_P_IP),
    "echo": (ip4(1, b"\x08\0\0\0\0\0\0\0" + nonce(RUN, 1)), constants.ETH_P_IP),
    "arp": (bytes(28), constants.ETH_P_ARP),
    "syn over IPv6": (ip6(6, tcp(1, 41000, 0x02)), constants.ETH_P_IPV6),
    "request over IPv6": (ip6(17, udp(1, 41000)), constants.ETH_P_IPV6),
}
FOREIGN = {
    "data segment": (ip4(6, tcp(1, 41000, 0x18)), constants.ETH_P_IP),
    "syn to another port": (ip4(6, tcp(1, 80, 0x02)), constants.ETH_P_IP),
    "udp to another port": (ip4(17, udp(1, 53)), constants.ETH_P_IP),
    "somebody's ping": (ip4(1, b"\x08\0\0\0\0\0\0\0" + b"abcdefghijklmnop"), constants.ETH_P_IP),
    "later fragment": (ip4(17, udp(1, 41000), fragment=7), constants.ETH_P_IP),
    "another protocol": (ip4(50, udp(1, 41000)), constants.ETH_P_IP),
    "another ethertype": (ip4(17, udp(1, 41000)), 0x88CC),
    "neighbour discovery": (ip6(58, udp(1, 41000)), constants.ETH_P_IPV6),
    "a stub": (b"\x45", constants.ETH_P_IP),
}


@pytest.mark.parametrize("name", OURS)
def test_ours_get_in(name: str) -> None:
    assert accepts(CODE, *OURS[name]) == bpf.KEEP


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_ones_stay_out(name: str) -> None:
    assert accepts(CODE, *FOREIGN[name]) == 0


@given(st.binary(max_size=120), st.sampled_from([constants.ETH_P_IP, constants.ETH_P_IPV6, constants.ETH_P_ARP, 0]))
def test_the_program_ends_on_any_packet(packet: bytes, ethertype: int) -> None:
    assert accepts(CODE, packet, ethertype) in (0, bpf.KEEP)


def test_the_most_ports_that_are_allowed_still_assemble() -> None:
    code = bpf.assemble(bpf.program(range(1, MAX_PORTS + 1)))
    for index in range(len(code) // 8):
        op, yes, no, _ = struct.unpack_from("=HBBI", code, 8 * index)
        if op in (bpf.EQUAL, bpf.ANY_BIT):
            assert index + 1 + max(yes, no) < len(code) // 8
    assert struct.unpack_from("=HBBI", code, len(code) - 8)[0] == bpf.RETURN


def test_a_jump_too_far_is_refused_here_and_not_by_the_kernel() -> None:
    with pytest.raises(ValueError, match="jump out of range"):
        bpf.assemble(bpf.program(range(1, 200)))
