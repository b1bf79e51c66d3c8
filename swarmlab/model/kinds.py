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


class Kind(str, Enum):
    """What is measured. A member is its name in reports, and its row:

    `about`: what a check is about; `values`: what can be expected, () for any text; `settles`: whether a lab that has
    just been deployed may be asked again while such an expectation is unmet; `matrix`: whether reports show it as a
    matrix of services; `feature`: the kernel feature without which it cannot be measured, "" for none; `names`: what
    `Expectation.name` holds, "" where it holds nothing.
    """

    about: About
    values: tuple[str, ...]
    settles: bool
    matrix: bool
    feature: str
    names: str

    REACH = "reach", About.PAIR, (ALLOW, DENY), True, True, "", ""
    NAME = "name", About.PAIR, (ALLOW, DENY), True, False, "", "the name that is asked"
    NETWORK = "network", About.NETWORK, (), False, False, "", "the property: driver, scope, subnets, option:KEY, …"
    SCOPE = "scope", About.PAIR, (ALLOW, DENY), True, True, "", ""
    VIP = "vip", About.PAIR, (ALLOW, DENY), True, True, IPVS, ""
    WIRE = "wire", About.NETWORK, (ENCRYPTED, CLEAR), False, False, ESP, ""
    MTU = "mtu", About.NETWORK, (FITS, IGNORE), False, False, "", ""
    PUBLISH = "publish", About.OUTSIDE, (ALLOW, DENY), True, False, "", "which port is meant"

    def __new__(
        cls, name: str, about: About, values: tuple[str, ...], settles: bool, matrix: bool, feature: str, names: str
    ) -> Kind:
        """One row."""
        kind = str.__new__(cls, name)
        kind._value_ = name
        kind.about, kind.values, kind.settles, kind.matrix = about, values, settles, matrix
        kind.feature, kind.names = feature, names
        return kind

    def __str__(self) -> str:
        return str(self.value)


KINDS: dict[str, Kind] = {str(kind): kind for kind in Kind}  # by the names that reports use
