"""Errors of paramiko, fabric and the kernel become ours here: which host, what happened, what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko
from paramiko.ssh_exception import (
    AuthenticationException,
    BadHostKeyException,
    NoValidConnectionsError,
    PasswordRequiredException,
    SSHException,
)

from swarmlab.errors import HostError, SwarmlabError
from swarmlab.model.host import Host

RUNNING = "is the host running, and is its SSH port open? (`swarmlab status`)"


class NotYet(HostError):
    """The host does not answer now, but may in a moment."""


class UnknownHostKey(SSHException):
    """The host shows a key, and none is pinned for it."""


class Pinned(paramiko.MissingHostKeyPolicy):
    """Refuses every host whose key is not pinned, and says so in a way that can be told apart."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Never accepts."""
        raise UnknownHostKey(f"{hostname} shows the key {key.get_name()} {key.fingerprint}")


@contextmanager
def translated(host: Host) -> Iterator[None]:
    """Raise HostError in place of every foreign exception."""
    try:
        yield
    except (SSHException, EOFError, OSError) as error:
        if isinstance(error, SwarmlabError):
            raise
        raise _ours(host, error) from error


def _ours(host: Host, error: BaseException) -> HostError:
    where = f"{host.ssh.address}:{host.ssh.port}"
    if isinstance(error, BadHostKeyException):
        return HostError(
            host.name,
            f"the host key of {where} is not the one pinned in {host.ssh.known_hosts}: "
            f"expected {error.expected_key.fingerprint}, got {error.key.fingerprint}",
            fix="something else answers there, or the host was made anew; if you made it anew, replace its line in "
            "that file",
        )
    if isinstance(error, UnknownHostKey):
        return HostError(
            host.name,
            f"no host key is pinned for {where} in {host.ssh.known_hosts}: {error}",
            fix="compare the key with the host's own and add it to that file; it is never accepted blindly",
        )
    if isinstance(error, PasswordRequiredException):
        return HostError(
            host.name,
            f"the key {host.ssh.identity} has a passphrase",
            fix="add it to an ssh-agent and leave `identity` out",
        )
    if isinstance(error, AuthenticationException):
        key = host.ssh.identity or "any key of the ssh-agent"
        return HostError(
            host.name,
            f"{where} does not accept {key} for user {host.ssh.user}",
            fix=f"put the public half into ~{host.ssh.user}/.ssh/authorized_keys there, or name the right user and "
            "identity",
        )
    return _unanswered(host, where, error)


def _unanswered(host: Host, where: str, error: BaseException) -> HostError:
    if isinstance(error, NoValidConnectionsError):
        causes = list(error.errors.values())
        error = causes[0] if causes else error
    if isinstance(error, ConnectionRefusedError):
        return NotYet(host.name, f"{where} refuses the connection", fix=RUNNING)
    if isinstance(error, TimeoutError):
        return NotYet(host.name, f"{where} does not answer in time", fix=RUNNING)
    if isinstance(error, FileNotFoundError | PermissionError):
        return HostError(
            host.name,
            f"{error.filename} cannot be read: {error.strerror}",
            fix="check this host's identity and known_hosts",
        )
    if isinstance(error, OSError) and error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return NotYet(
            host.name,
            f"no route to {where}: {error.strerror}",
            fix="is the host's address right, and is its network up?",
        )
    text = str(error) or type(error).__name__
    return NotYet(host.name, f"the SSH connection to {where} fails: {text}", fix=RUNNING)
