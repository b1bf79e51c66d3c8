"""What probes carry: by it, listeners and captures know whose request they see.

The nonce is 16 bytes: MAGIC, the run's 8 bytes, the probe's id in 4, big-endian. It is the payload of UDP and ICMP
requests and what a TCP client sends first. An answer is ANSWER, the run, the id, then the responder's endpoint id in
UTF-8. A datagram may be longer than its nonce: the answer is as short as ever. A TCP client that begins with BULK in
place of MAGIC and a number of bytes in place of the id sends so many bytes, and is answered when all have come.
"""

from __future__ import annotations

import struct

MAGIC = b"SWLB"
ANSWER = b"SWLA"
BULK = b"SWLK"
SPORT_FIRST, SPORTS = 20000, 40000  # where the source ports of TCP probes come from


def nonce(run: str, probe: int, magic: bytes = MAGIC) -> bytes:
    """The request's payload.

    >>> nonce("00" * 8, 7).hex()
    '53574c42000000000000000000000007'
    """
    return magic + bytes.fromhex(run) + struct.pack("!I", probe)


def sport_offset(run: str, batch: int) -> int:
    """Probe `id` of a run's batch (1 is the first after `open`) comes from SPORT_FIRST + (id + offset) % SPORTS, if
    that port is free.

    It moves from run to run and batch to batch: connection tracking must not answer from what it remembers.
    """
    return (int(run, 16) + batch * 5003) % SPORTS


def answer(run: str, probe: int, endpoint: str) -> bytes:
    """What a listener answers: it names itself."""
    return ANSWER + nonce(run, probe)[4:] + endpoint.encode()


def read_nonce(data: bytes, run: str, magic: bytes = MAGIC) -> tuple[int, str] | None:
    """Probe id and the text behind it, or None when `data` is not of this run.

    >>> read_nonce(answer("00" * 8, 7, "db.1"), "00" * 8, ANSWER)
    (7, 'db.1')
    """
    if len(data) < 16 or data[:4] != magic or data[4:12] != bytes.fromhex(run):
        return None
    return struct.unpack("!I", data[12:16])[0], data[16:].decode("utf-8", "replace")
