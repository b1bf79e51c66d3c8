"""What goes wrong on the way to a host, in the words that a user reads."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import paramiko
import pytest
from paramiko.ssh_exception import AuthenticationException, BadHostKeyException, NoValidConnectionsError, SSHException

from swarmlab.errors import HostError
from swarmlab.model.host import Host, SshEndpoint
from swarmlab.remote.keys import make_host_key
from swarmlab.remote.translate import NotYet, Pinned, translated

HOST = Host("host1", "172.29.0.11", SshEndpoint("127.0.0.1", 2201, "root", Path("/lab/id"), Path("/lab/known_hosts")))


def _key() -> paramiko.PKey:
    return paramiko.Ed25519Key(file_obj=io.StringIO(make_host_key().private))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConnectionRefusedError(), "host1: 127.0.0.1:2201 refuses the connection"),
        (
            NoValidConnectionsError({("127.0.0.1", 2201): ConnectionRefusedError()}),
            "host1: 127.0.0.1:2201 refuses the connection",
        ),
        (TimeoutError(), "host1: 127.0.0.1:2201 does not answer in time"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "host1: no route to 127.0.0.1:2201: No route to host"),
        (
            SSHException("Error reading SSH protocol banner"),
            "host1: the SSH connection to 127.0.0.1:2201 fails: Error reading SSH",
        ),
        (EOFError(), "host1: the SSH connection to 127.0.0.1:2201 fails: EOFError"),
    ],
)
def test_what_may_pass_by_waiting(error: Exception, text: str) -> None:
    with pytest.raises(NotYet) as caught, translated(HOST):
        raise error
    assert caught.value.message.startswith(text)
    assert caught.value.fix


def test_a_refused_identity_names_it_and_is_not_waited_for() -> None:
    with pytest.raises(HostError) as caught, translated(HOST):
        raise AuthenticationException("Authentication failed.")
    assert caught.value.message == "host1: 127.0.0.1:2201 does not accept /lab/id for user root"
    assert "authorized_keys" in caught.value.fix
    assert not isinstance(caught.value, NotYet)


def test_another_host_key_names_the_file_that_pins() -> None:
    with pytest.raises(HostError, match="not the one pinned in /lab/known_hosts") as caught, translated(HOST):
        raise BadHostKeyException("127.0.0.1", _key(), _key())
    assert not isinstance(caught.value, NotYet)


def test_an_unknown_host_key_is_never_accepted() -> None:
    with (
        pytest.raises(HostError, match=r"no host key is pinned for 127\.0\.0\.1:2201 in /lab/known_hosts"),
        translated(HOST),
    ):
        Pinned().missing_host_key(paramiko.SSHClient(), "[127.0.0.1]:2201", _key())


def test_our_own_errors_pass_untouched() -> None:
    mine = HostError("host9", "mine")
    with pytest.raises(HostError) as caught, translated(HOST):
        raise mine
    assert caught.value is mine
