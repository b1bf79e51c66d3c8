"""What this host's kernel cannot do: tried, never guessed from a version or a configuration file."""

from __future__ import annotations

import os
import platform
import struct

from swarmlab.agent.kernel import constants, netlink
from swarmlab.agent.kernel.namespace import home

_INFINITE = (1 << 64) - 1
_KEY_BITS, _ICV_BITS = 160, 64  # as the engine asks for it: AES-128 and a salt of 32 bits


def missing_features() -> list[str]:
    """Names of the missing: `ip_vs` (no virtual addresses, no ingress mesh), `esp` (no encrypted overlay)."""
    return [name for name, has in (("ip_vs", has_ip_vs), ("esp", has_esp)) if not has()]


def has_ip_vs() -> bool:
    """Loaded or built in, or a module that the engine will load when it needs it."""
    return os.path.exists("/proc/net/ip_vs") or _family("IPVS") or _module("ip_vs")


def _family(name: str) -> bool:
    """Asking the kernel for a generic netlink family also loads its module, where it may."""
    body = struct.pack("=BBH", 3, 1, 0) + netlink.attribute(
        2, name.encode() + b"\0"
    )  # CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME
    try:
        return bool(netlink.ask(netlink.GENERIC, 16, netlink.ACK, body))
    except OSError:
        return False


def _module(name: str) -> bool:
    """It lies where modprobe of the running kernel would look for it."""
    try:
        with open(f"/lib/modules/{platform.release()}/modules.dep", encoding="utf-8", errors="replace") as file:
            return f"/{name}.ko" in file.read(32 * 1024 * 1024)
    except OSError:
        return False


def has_esp() -> bool:
    """Adds a security association as the engine would, in a namespace of its own that vanishes again."""
    own = home()  # before we leave it: it is looked up only once
    try:
        constants.unshare_net()
    except OSError:
        return False
    try:
        netlink.ask(netlink.XFRM, 0x10, netlink.ACK | netlink.CREATE, _association())  # XFRM_MSG_NEWSA
    except OSError:
        return False
    finally:
        constants.setns(own)
    return True


def _association() -> bytes:
    """struct xfrm_usersa_info for a transport-mode ESP association, and its rfc4106(gcm(aes)) key of zeros."""
    address = bytes([192, 0, 2, 1]) + bytes(12)
    source = bytes([192, 0, 2, 2]) + bytes(12)
    selector = struct.pack("=16s16sHHHHHBBB3xiI", address, source, 0, 0, 0, 0, 2, 32, 32, 0, 0, 0)
    identity = struct.pack("=16s4sB3x", address, b"\0\0\x10\0", 50)
    limits = struct.pack("=8Q", _INFINITE, _INFINITE, _INFINITE, _INFINITE, 0, 0, 0, 0)
    state = struct.pack("=32x12xIIHBBB7x", 0, 0, 2, 0, 0, 0)
    algorithm = struct.pack("=64sII", b"rfc4106(gcm(aes))", _KEY_BITS, _ICV_BITS) + bytes(_KEY_BITS // 8)
    return selector + identity + source + limits + state + netlink.attribute(18, algorithm)  # XFRMA_ALG_AEAD
