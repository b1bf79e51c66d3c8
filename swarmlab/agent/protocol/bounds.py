"""What fits a field: ranges, lengths, counts, forms; and the limits of a whole message. Fields name these types."""

from __future__ import annotations

import functools
import re
import socket
from collections.abc import Callable
from typing import Annotated, NamedTuple, Optional

MAX_LINE = 32 * 1024 * 1024  # bytes: no request or answer of an honest peer is longer
MAX_VALUES = 3_000_000  # JSON values in one message; nesting ends where the fields' types end

MAX_ENDPOINTS = 2_000
MAX_PROBES = 200_000
MAX_SIZES = 10_000  # size probes of one `mtu`
MAX_PORTS = 64  # that a capture's filter can tell apart
MAX_TIMEOUT = 120.0  # seconds
MAX_BULK = 16 * 1024 * 1024  # bytes of one transfer
CAPTURE_BUFFER = 4 * 1024 * 1024  # bytes of an endpoint's capture: a limit, not a reservation; about 4,000 packets
MAX_CANARIES = 5_000
MAX_REPEATS = 20  # of one datagram or frame
MIN_RING, RING, MAX_RING = 1 << 20, 8 << 20, 64 << 20  # bytes of the underlay's capture
MAX_PCAP = 8 << 20  # bytes
TOKEN = 16  # hexadecimal digits behind the tag of a canary
_FORMS_KNOWN = 4_096  # addresses come again and again: so many are looked at once only


class Between(NamedTuple):
    """A number from `low` to `high`, both included."""

    low: float
    high: float


class Length(NamedTuple):
    """A text of at most so many characters."""

    most: int


class Form(NamedTuple):
    """A text that `usual` knows: it returns the usual spelling, or None. `complaint` says what was expected."""

    usual: Callable[[str], Optional[str]]  # noqa: UP045 - evaluated by Python 3.9
    complaint: str


class AtMost(NamedTuple):
    """A list or an object of at most so many entries. `distinct` names the field in which entries must differ."""

    most: int
    what: str = "entries"
    distinct: str = ""


def _matching(pattern: str, complaint: str) -> Form:
    known = re.compile(pattern)
    return Form(lambda text: text if known.fullmatch(text) else None, complaint)


@functools.lru_cache(maxsize=_FORMS_KNOWN)
def _ip(text: str) -> str | None:
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    try:
        return socket.inet_ntop(family, socket.inet_pton(family, text))
    except (OSError, ValueError):
        return None


def _ipv4(text: str) -> str | None:
    return None if ":" in text else _ip(text)


def _ip_with_prefix(text: str) -> str | None:
    address, _, prefix = text.partition("/")
    most = 128 if ":" in address else 32
    numeric = prefix.isascii() and prefix.isdecimal() and prefix == str(int(prefix[:9]))
    fits = numeric and int(prefix) <= most and _ip(address) is not None
    return text if fits else None


# The defaults of fields that say nothing of their own.
INTEGER = Between(-(2**63), 2**63 - 1)
NUMBER = Between(-1e12, 1e12)
TEXT = Length(300)
ENTRIES = AtMost(10_000)

Total = Annotated[int, Between(0, 2**63 - 1)]
Id = Annotated[int, Between(0, 2**32 - 2)]
Port = Annotated[int, Between(1, 2**16 - 1)]
PortOrNone = Annotated[int, Between(0, 2**16 - 1)]  # 0: none
Pid = Annotated[int, Between(0, 2**31 - 1)]  # 0: none
Vni = Annotated[int, Between(1, 2**24 - 1)]
Repeats = Annotated[int, Between(1, MAX_REPEATS)]
Timeout = Annotated[float, Between(0.001, MAX_TIMEOUT)]  # seconds
Flag = Optional[bool]  # noqa: UP045  None: not known
Milliseconds = Optional[Annotated[float, Between(0, 1e9)]]  # noqa: UP045  None: not known
RunId = Annotated[str, _matching(r"[0-9a-f]{16}", "expected 16 hex digits, got {!r}")]
Path = Annotated[str, _matching(r"(/.*)?", "expected an absolute path, got {!r}")]
Protocol = Annotated[str, _matching(r"tcp|udp|icmp", "expected one of tcp, udp, icmp, got {!r}")]
Address = Annotated[str, Form(_ip, "{!r} is not an IP address")]
IPv4 = Annotated[str, Form(_ipv4, "{!r} is not an IPv4 address")]
InterfaceAddress = Annotated[str, Form(_ip_with_prefix, "expected an IP address and a prefix length, got {!r}")]
Hardware = Annotated[str, _matching(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", "{!r} is not a hardware address")]
Tag = Annotated[str, _matching(r"[a-z0-9]{8,24}", "expected 8 to 24 lower-case letters and digits, got {!r}")]
Feature = Annotated[str, Length(40)]
