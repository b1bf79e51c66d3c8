"""The capture's kernel filter: classic BPF over packets that begin at their network header (AF_PACKET, SOCK_DGRAM)."""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from swarmlab.agent.kernel import constants
from swarmlab.agent.protocol.nonce import MAGIC

LD_WORD_ABS, LD_HALF_ABS, LD_BYTE_ABS = 0x20, 0x28, 0x30
LD_WORD_IND, LD_HALF_IND, LD_BYTE_IND = 0x40, 0x48, 0x50
LDX_IMM, LDX_HEADER = 0x01, 0xB1  # LDX_HEADER: X = 4 * (packet[k] & 15), the length of an IPv4 header
EQUAL, ANY_BIT, RETURN = 0x15, 0x45, 0x06
ETHERTYPE = 0xFFFFF000  # ancillary "offset": the packet's protocol
KEEP = 128  # bytes of each packet: the largest IPv4 header, a UDP header and the nonce fit
SYN_OR_RST = 0x06


@dataclass(frozen=True)
class Step:
    """One instruction; `yes` and `no` name labels ("" : the next one)."""

    code: int
    k: int = 0
    yes: str = ""
    no: str = ""
    label: str = ""


def _ports(ports: Sequence[int]) -> list[Step]:
    """Either port is one of ours."""
    steps = [Step(LD_HALF_IND, 0, label="ports")]
    steps += [Step(EQUAL, port, yes="keep") for port in ports]
    steps.append(Step(LD_HALF_IND, 2))
    steps += [Step(EQUAL, port, yes="keep") for port in ports]
    return steps


def program(ports: Sequence[int]) -> list[Step]:
    """ARP; echo requests and replies that carry our magic; UDP, and TCP SYN or RST, from or to `ports`. All else is
    dropped.

    TCP's other segments tell nothing more, and leaving them out more than halves what the buffer must hold.
    """
    magic = struct.unpack("!I", MAGIC)[0]
    return [
        Step(LD_WORD_ABS, ETHERTYPE),
        Step(EQUAL, constants.ETH_P_ARP, yes="keep"),
        Step(EQUAL, constants.ETH_P_IPV6, yes="v6"),
        Step(EQUAL, constants.ETH_P_IP, no="drop"),
        Step(LD_HALF_ABS, 6),
        Step(ANY_BIT, 0x1FFF, yes="drop"),  # a later fragment has no ports
        Step(LDX_HEADER, 0),
        Step(LD_BYTE_ABS, 9),
        Step(EQUAL, socket.IPPROTO_TCP, yes="tcp"),
        Step(EQUAL, socket.IPPROTO_UDP, yes="ports"),
        Step(EQUAL, socket.IPPROTO_ICMP, no="drop"),
        Step(LD_WORD_IND, 8),
        Step(EQUAL, magic, yes="keep", no="drop"),
        Step(LDX_IMM, 40, label="v6"),
        Step(LD_BYTE_ABS, 6),
        Step(EQUAL, socket.IPPROTO_UDP, yes="ports"),
        Step(EQUAL, socket.IPPROTO_TCP, no="drop"),
        Step(LD_BYTE_IND, 13, label="tcp"),
        Step(ANY_BIT, SYN_OR_RST, no="drop"),
        *_ports(ports),
        Step(RETURN, 0, label="drop"),
        Step(RETURN, KEEP, label="keep"),
    ]


def assemble(steps: Sequence[Step]) -> bytes:
    """Labels become forward distances. Raises ValueError for a jump that classic BPF cannot make."""
    places = {step.label: index for index, step in enumerate(steps) if step.label}
    return b"".join(_encode(step, index, places) for index, step in enumerate(steps))


def _encode(step: Step, index: int, places: dict[str, int]) -> bytes:
    yes, no = (places[label] - index - 1 if label else 0 for label in (step.yes, step.no))
    if not (0 <= yes <= 255 and 0 <= no <= 255):
        raise ValueError(f"jump out of range at step {index}")
    return struct.pack("=HBBI", step.code, yes, no, step.k)


def attach(sock: socket.socket, ports: Sequence[int]) -> None:
    """Nothing foreign gets into `sock` from now on."""
    code = assemble(program(sorted(set(ports))))
    buffer = ctypes.create_string_buffer(code, len(code))
    sock.setsockopt(
        socket.SOL_SOCKET, constants.SO_ATTACH_FILTER, struct.pack("HL", len(code) // 8, ctypes.addressof(buffer))
    )
