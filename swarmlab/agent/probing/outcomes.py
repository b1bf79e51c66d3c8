"""Outcomes, and the errno of a failed call translated into one: a single table for every protocol."""

from __future__ import annotations

import errno

ANSWERED = "answered"
REFUSED = "refused"
TIMED_OUT = "timed_out"
UNREACHABLE = "unreachable"
NO_ROUTE = "no_route"
SEND_ERROR = "send_error"
SENDER_DEAD = "sender_dead"

FULL = "is the neighbour table full? (net.ipv4.neigh.default.gc_thresh3)"
TRANSIENT = frozenset({errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN})  # worth another try before the deadline

# The sender's own kernel said so inside connect() or send(): nothing left.
AT_ONCE = {
    errno.ENETUNREACH: (NO_ROUTE, "no route"),
    errno.EHOSTUNREACH: (NO_ROUTE, "a route of type unreachable"),
    errno.EACCES: (NO_ROUTE, "a route of type prohibit"),
    errno.EINVAL: (NO_ROUTE, "a route of type blackhole"),
    errno.ECONNREFUSED: (REFUSED, ""),  # loopback answers inside the call
    errno.EPERM: (SEND_ERROR, "the sender's own firewall dropped it"),  # netfilter OUTPUT: not a missing route
    errno.ENETDOWN: (SEND_ERROR, "the interface is down"),
    errno.EADDRNOTAVAIL: (SEND_ERROR, "no source address or port is free"),
    errno.EADDRINUSE: (SEND_ERROR, "no source port is free"),
    errno.EAFNOSUPPORT: (SEND_ERROR, "no such address family here"),
    errno.EMSGSIZE: (SEND_ERROR, "larger than the interface's MTU"),
    errno.EMFILE: (SEND_ERROR, "too many open files"),
    errno.ENFILE: (SEND_ERROR, "too many open files on the host"),
    errno.ENOBUFS: (SEND_ERROR, FULL),
    errno.ENOMEM: (SEND_ERROR, FULL),
    errno.EAGAIN: (SEND_ERROR, FULL),
}

# Something came back later: an RST, an ICMP error, or the kernel's own "ARP got no answer".
LATER = {
    errno.ECONNREFUSED: (REFUSED, ""),
    errno.ECONNRESET: (REFUSED, "reset"),
    errno.EPIPE: (REFUSED, "reset"),
    errno.EHOSTUNREACH: (UNREACHABLE, ""),
    errno.ENETUNREACH: (UNREACHABLE, ""),
    errno.ENOPROTOOPT: (UNREACHABLE, "the target does not speak the protocol"),
    errno.EOPNOTSUPP: (UNREACHABLE, "source route failed"),
    errno.EHOSTDOWN: (UNREACHABLE, ""),
    errno.ENONET: (UNREACHABLE, ""),
    errno.EACCES: (UNREACHABLE, "administratively prohibited"),
    errno.ETIMEDOUT: (TIMED_OUT, ""),
}


def name_of(number: int) -> str:
    """The name of an errno, EHOSTUNREACH for 113."""
    return errno.errorcode.get(number, str(number))


def at_once(number: int) -> tuple[str, str]:
    """Outcome and detail of an errno that the call itself returned.

    >>> at_once(errno.ENETUNREACH)
    ('no_route', 'ENETUNREACH: no route')
    """
    return _named(AT_ONCE, number)


def later(number: int) -> tuple[str, str]:
    """Outcome and detail of an errno that came back after the request had been sent.

    >>> later(errno.ECONNREFUSED)
    ('refused', 'ECONNREFUSED')
    """
    return _named(LATER, number)


def _named(table: dict[int, tuple[str, str]], number: int) -> tuple[str, str]:
    outcome, hint = table.get(number, (SEND_ERROR, "unexpected"))
    return outcome, f"{name_of(number)}: {hint}" if hint else name_of(number)
