"""The Internet checksum, for packets that are built by hand."""

from __future__ import annotations

import struct


def checksum(data: bytes) -> int:
    """RFC 1071, over an even number of bytes.

    >>> hex(checksum(bytes.fromhex("080000001234abcd")))
    '0x39fe'
    """
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
