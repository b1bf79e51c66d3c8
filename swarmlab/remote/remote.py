"""One host over one SSH connection: commands, files, long-lived sessions."""

from __future__ import annotations

import secrets
import shlex
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import TracebackType

import paramiko

from swarmlab.errors import CommandFailed, DeadlinePassed, HostError
from swarmlab.model.host import Host
from swarmlab.remote.channel import LOADED, Feeder, Output, Session, end_input, receive
from swarmlab.remote.ssh import Ssh
from swarmlab.remote.translate import NotYet, translated
from swarmlab.remote.wait import until

OUTPUT_LIMIT = 16 * 1024 * 1024
STILL = "is the host still running? (`swarmlab status`)"
START = 60.0  # seconds for a session's command to start
FIRST_CONNECT = 10.0  # seconds, for a host that is used before `connect` was called
# Whole or not at all: into a file beside it, then renamed. $1 directory, $2 temporary, $3 path, $4 mode.
PUT = (
    'set -e; umask 077; mkdir -p -- "$1"; trap \'rm -f -- "$2"\' EXIT; '
    'cat >"$2"; chmod -- "$4" "$2"; mv -fT -- "$2" "$3"'
)


@dataclass(frozen=True)
class Ran:
    """What a command said and how it ended."""

    stdout: str
    stderr: str
    status: int


class Remote:
    """A host. Every method may be called from several threads at once; each command has a channel of its own."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.name = host.name
        self._ssh = Ssh(host)
        self._opening = threading.Lock()

    def connect(self, deadline_seconds: float) -> None:
        """Try until sshd answers. Raises HostError with the last reason, at once when waiting cannot help (keys)."""
        with self._opening:
            if self._ssh.transport is not None:
                return
            self._retry(deadline_seconds)

    def _retry(self, seconds: float) -> None:
        reasons: list[NotYet] = []

        def answers() -> bool:
            try:
                self._ssh.open()
            except NotYet as error:
                reasons[:] = [error]
                return False
            return True

        try:
            until(answers, f"{self.name} answers", seconds)
        except DeadlinePassed as passed:
            reason = reasons[0]
            text = reason.message.removeprefix(f"{self.name}: ")
            raise HostError(self.name, f"no SSH connection within {seconds:g} s: {text}", fix=reason.fix) from passed

    @property
    def transport(self) -> paramiko.Transport:
        """The live paramiko transport; connects when there is none."""
        if self._ssh.transport is None:
            self.connect(FIRST_CONNECT)
        transport = self._ssh.transport
        if transport is None:
            raise HostError(self.name, "the SSH connection was lost", fix=STILL)
        return transport

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | None = None,
        timeout: float = 60,
        check: bool = True,
        limit: int = OUTPUT_LIMIT,
    ) -> Ran:
        """Run as root and wait for the end, at most `timeout` seconds.

        Raises CommandFailed on a status other than 0 if `check`, and HostError when the time is over, the output is
        longer than `limit` bytes, or the host is lost.
        """
        return self.feed(argv, () if stdin is None else (stdin,), timeout, check=check, limit=limit)

    def feed(
        self,
        argv: Sequence[str],
        chunks: Iterable[bytes],
        timeout: float,
        *,
        check: bool = True,
        limit: int = OUTPUT_LIMIT,
    ) -> Ran:
        """As `run`, with standard input streamed from `chunks`."""
        command, deadline = shlex.join(argv), time.monotonic() + timeout
        channel = self.channel(argv, timeout)
        try:
            ran = self._converse(channel, command, chunks, deadline, timeout, limit)
        finally:
            channel.close()
        if check and ran.status:
            raise CommandFailed(self.name, command, ran.status, ran.stderr)
        return ran

    def _converse(
        self,
        channel: paramiko.Channel,
        command: str,
        chunks: Iterable[bytes],
        deadline: float,
        timeout: float,
        limit: int,
    ) -> Ran:
        feeder = Feeder(channel, chunks, deadline) if chunks else None
        if feeder is None:
            end_input(channel)
        stdout, stderr = Output(limit), Output(limit)
        while received := receive(channel, stderr, deadline):
            stdout.add(received)
            if stdout.overflowed:
                raise HostError(self.name, f"`{command}` answered more than {limit} bytes")
        ended = received is not None and channel.status_event.wait(max(0.0, deadline - time.monotonic()))
        if feeder is not None:
            feeder.finish()
        if not ended:
            raise HostError(self.name, f"`{command}` did not end within {timeout:g} s", fix=LOADED)
        if channel.exit_status < 0:
            raise HostError(self.name, f"`{command}` was killed, or its connection was lost", fix=STILL)
        return Ran(stdout.text(), stderr.text(), channel.exit_status)

    def put(self, data: bytes, path: str, mode: int = 0o600) -> None:
        """Write a file whole or not at all; directories on the way to it are made, 0700."""
        parent = str(PurePosixPath(path).parent)
        temporary = f"{path}.{secrets.token_hex(6)}.part"
        self.run(["sh", "-c", PUT, "sh", parent, temporary, path, f"{mode:o}"], stdin=data)

    def session(self, argv: Sequence[str]) -> Session:
        """Start a command as root and keep its channel to talk to it."""
        return Session(self.name, shlex.join(argv), self.channel(argv))

    def channel(self, argv: Sequence[str], patience: float = START) -> paramiko.Channel:
        """The channel of a command that has just been started, for callers who speak its protocol themselves.

        `patience` is how many seconds starting may take. Raises HostError.
        """
        transport = self.transport
        root = () if self.host.ssh.user == "root" else ("sudo", "-n", "--")
        with translated(self.host):
            channel = transport.open_session(timeout=patience)
            # Paramiko would wait for ever for a hung host to say that the command started.
            giving_up = threading.Timer(patience, channel.close)
            giving_up.daemon = True
            giving_up.start()
            try:
                channel.exec_command(shlex.join([*root, *argv]))
            finally:
                giving_up.cancel()
        return channel

    def close(self) -> None:
        """End the connection; sessions end with it."""
        self._ssh.close()

    def __enter__(self) -> Remote:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
