"""Puts VXLAN frames on eth0 at a given rate: blaster.py HARDWARE-ADDRESS RATE SECONDS CANARY. Says how many, in how
many seconds.

sendmmsg by ctypes: hundreds of packets per system call. One packet in a thousand carries the canary.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import sys
import time

BATCH = 250


class Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class Header(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p), ("name_length", ctypes.c_uint),
        ("vectors", ctypes.POINTER(Vector)), ("count", ctypes.c_size_t),
        ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t), ("flags", ctypes.c_int),
    )  # fmt: skip


class Message(ctypes.Structure):
    _fields_ = (("header", Header), ("sent", ctypes.c_uint))


def frame(hardware: str, body: bytes) -> bytes:
    udp = struct.pack("!HHHH", 50000, 4789, len(body) + 8, 0) + body
    ip = struct.pack(
        "!BBHHHBBH4s4s",
        0x45,
        0,
        len(udp) + 20,
        0,
        0,
        64,
        17,
        0,
        socket.inet_aton("10.77.0.1"),
        socket.inet_aton("10.77.0.2"),
    )
    return bytes.fromhex(hardware.replace(":", "")) + bytes(6) + b"\x08\x00" + ip + udp


def batch(packets: list[bytes]) -> tuple[ctypes.Array[Message], list[object]]:
    messages = (Message * len(packets))()
    kept: list[object] = []
    for message, packet in zip(messages, packets, strict=True):
        buffer = ctypes.create_string_buffer(packet, len(packet))
        vector = Vector(ctypes.cast(buffer, ctypes.c_void_p), len(packet))
        message.header.vectors, message.header.count = ctypes.pointer(vector), 1
        kept += [buffer, vector]
    return messages, kept


def main() -> None:
    hardware, rate, seconds, canary = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
    head = struct.pack("!II", 0x08000000, 4097 << 8) + bytes(42)
    plain = [frame(hardware, head + b"x" * 60)] * BATCH
    marked = [*plain[1:], frame(hardware, head + canary.encode())]
    batches = [batch(marked), batch(plain), batch(plain), batch(plain)]
    libc = ctypes.CDLL(None, use_errno=True)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind(("eth0", 0))
        begun, sent, wanted, turn = time.monotonic(), 0, int(rate * seconds), 0
        while sent < wanted and time.monotonic() < begun + seconds * 3:
            messages, _kept = batches[turn % len(batches)]
            turn += 1
            sent += max(0, libc.sendmmsg(sock.fileno(), messages, BATCH, 0))
            ahead = begun + sent / rate - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
        print(sent, time.monotonic() - begun)


if __name__ == "__main__":
    main()
