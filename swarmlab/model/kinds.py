"""The kinds of check: one row each. Code asks the row; it does not branch on the kind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

ALLOW, DENY = "allow", "deny"
FITS, IGNORE = "fits", "ignore"
ENCRYPTED, CLEAR = "encrypted", "clear"
ESP, IPVS = "esp", "ip_vs"  # kernel features, by the names that hosts use for what they lack


class About(str, Enum):
    """What a check of a kind is about."""

    PAIR = "pair"  # one service or standalone container, and another
    NETWORK = "network"
    HOST = "host"
    OUTSIDE = "outside"  # a port, as the external client sees it

    def __str__(self) -> str:
        return self.value


class Shown(str, Enum):
    """How reports sum up the checks of a kind."""

    MATRIX = "matrix"  # of services: rows are those who send, columns those who are sent to
    COUNTS = "counts"
    NETWORKS = "networks"  # counts, and a line for each network

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, kw_only=True)
class Row:
    """What holds for all checks of a kind.

    `values`: what can be expected, () for any text; `settles`: whether a lab that has just been deployed may be asked
    again while such an expectation is unmet; `shown`: how reports sum it up; `feature`: the kernel feature without
    which it cannot be measured, "" for none; `names`: what `Expectation.name` holds, "" where it holds nothing.
    `promised`: what every lab is expected to show, whatever its file says, and `because` of what; "" for kinds that
    follow from the file.
    """

    about: About
    values: tuple[str, ...] = ()
    settles: bool = False
    shown: Shown = Shown.COUNTS
    feature: str = ""
    names: str = ""
    promised: str = ""
    because: str = ""


YES_NO = (ALLOW, DENY)
PROPERTY = "the property: driver, scope, subnets, option:KEY, …"


class Kind(str, Enum):
    """What is measured: its name in reports, and its row."""

    row: Row

    REACH = "reach", Row(about=About.PAIR, values=YES_NO, settles=True, shown=Shown.MATRIX)
    NAME = "name", Row(about=About.PAIR, values=YES_NO, settles=True, names="the name that is asked")
    NETWORK = "network", Row(about=About.NETWORK, names=PROPERTY)
    SCOPE = "scope", Row(about=About.PAIR, values=YES_NO, settles=True, shown=Shown.MATRIX)
    VIP = "vip", Row(about=About.PAIR, values=YES_NO, settles=True, shown=Shown.MATRIX, feature=IPVS)
    MTU = "mtu", Row(about=About.NETWORK, values=(FITS, IGNORE))
    WIRE = "wire", Row(about=About.NETWORK, values=(ENCRYPTED, CLEAR), shown=Shown.NETWORKS, feature=ESP)
    PUBLISH = "publish", Row(about=About.OUTSIDE, values=YES_NO, settles=True, names="which port is meant")
    CLOCK = (
        "clock",
        Row(about=About.HOST, values=("agrees",), promised="agrees", because="certificates are judged by clocks"),
    )

    def __new__(cls, name: str, row: Row) -> Kind:
        """A name that knows its row."""
        kind = str.__new__(cls, name)
        kind._value_ = name
        kind.row = row
        return kind

    def __str__(self) -> str:
        return str(self.value)


KINDS: dict[str, Kind] = {str(kind): kind for kind in Kind}  # by the names that reports use
