"""The kinds of check: one row each. Code asks the row; it does not branch on the kind."""

from __future__ import annotations

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


class Kind(str, Enum):
    """What is measured. A member is its name in reports, and its row:

    `about`: what a check is about; `values`: what can be expected, () for any text; `settles`: whether a lab that has
    just been deployed may be asked again while such an expectation is unmet; `shown`: how reports sum it up; `feature`:
    the kernel feature without which it cannot be measured, "" for none; `names`: what `Expectation.name` holds, ""
    where it holds nothing.
    """

    about: About
    values: tuple[str, ...]
    settles: bool
    shown: Shown
    feature: str
    names: str

    REACH = "reach", About.PAIR, (ALLOW, DENY), True, Shown.MATRIX, "", ""
    NAME = "name", About.PAIR, (ALLOW, DENY), True, Shown.COUNTS, "", "the name that is asked"
    NETWORK = "network", About.NETWORK, (), False, Shown.COUNTS, "", "the property: driver, scope, subnets, option:KEY…"
    SCOPE = "scope", About.PAIR, (ALLOW, DENY), True, Shown.MATRIX, "", ""
    VIP = "vip", About.PAIR, (ALLOW, DENY), True, Shown.MATRIX, IPVS, ""
    WIRE = "wire", About.NETWORK, (ENCRYPTED, CLEAR), False, Shown.NETWORKS, ESP, ""
    MTU = "mtu", About.NETWORK, (FITS, IGNORE), False, Shown.COUNTS, "", ""
    PUBLISH = "publish", About.OUTSIDE, (ALLOW, DENY), True, Shown.COUNTS, "", "which port is meant"

    def __new__(
        cls, name: str, about: About, values: tuple[str, ...], settles: bool, shown: Shown, feature: str, names: str
    ) -> Kind:
        """One row."""
        kind = str.__new__(cls, name)
        kind._value_ = name
        kind.about, kind.values, kind.settles, kind.shown = about, values, settles, shown
        kind.feature, kind.names = feature, names
        return kind

    def __str__(self) -> str:
        return str(self.value)


KINDS: dict[str, Kind] = {str(kind): kind for kind in Kind}  # by the names that reports use
