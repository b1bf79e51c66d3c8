"""The three system calls that Python 3.9 does not offer, and the numbers that its socket module does not name."""

from __future__ import annotations

import ctypes
import os
import socket
import struct

CLONE_NEWNET = 0x40000000
IP_RECVERR = 11
IP_MTU_DISCOVER = 10
IP_PMTUDISC_PROBE = 3
SIOCGIFMTU = 0x8921
SIOCOUTQ = 0x5411
IP_PKTINFO = 8
IPV6_RECVPKTINFO = 49
IPV6_PKTINFO = 50
SOL_RAW = 255
ICMP_FILTER = 1
SO_RCVBUFFORCE = 33
SO_ATTACH_FILTER = 26
SOL_PACKET = 263
PACKET_STATISTICS = 6
TCP_DEFER_ACCEPT = 9
ETH_P_ALL = 0x0003
ETH_P_IP = 0x0800
ETH_P_ARP = 0x0806
ETH_P_IPV6 = 0x86DD
PACKET_HOST = 0
PACKET_OUTGOING = 4

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def setns(fd: int) -> None:
    """Put this thread into the network namespace behind `fd`."""
    _checked(_libc.setns(fd, CLONE_NEWNET), "setns")


def unshare_net() -> None:
    """Put this thread into a network namespace of its own, new and empty."""
    _checked(_libc.unshare(CLONE_NEWNET), "unshare")


def bind_all_interfaces(fd: int) -> None:
    """Bind an AF_PACKET socket to every protocol and interface; Python's own bind insists on an interface's name."""
    address = struct.pack("=HHiHBB8s", socket.AF_PACKET, socket.htons(ETH_P_ALL), 0, 0, 0, 0, b"")
    _checked(_libc.bind(fd, address, len(address)), "bind")


def force_buffer(sock: socket.socket, size: int) -> None:
    """Let `sock` queue up to `size` bytes, past net.core.rmem_max where we may; less is no error, it shows as drops."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, size)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
