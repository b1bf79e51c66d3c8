"""One command on one SSH channel: bytes in and out, bounded in size and time, never byte by byte."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

import paramiko

from swarmlab.errors import HostError

PIECE = 32 * 1024 - 64  # what fits into one SSH packet
READ = 1024 * 1024
SLICE = 0.2  # seconds between two looks at standard error and at the deadline while nothing comes


class Output:
    """Bytes kept up to a limit; what is beyond it sets `overflowed`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self.overflowed = False
        self._pieces: list[bytes] = []

    def add(self, data: bytes) -> None:
        """Keep as much as the limit allows."""
        room = self.limit - self.size
        self.overflowed = self.overflowed or len(data) > room
        self._pieces.append(data[:room])
        self.size += len(data[:room])

    def text(self) -> str:
        """All that was kept; what is no UTF-8 is replaced."""
        return b"".join(self._pieces).decode("utf-8", "replace")


def drain_stderr(channel: paramiko.Channel, into: Output) -> None:
    """Take what standard error holds now; left there it would fill the window and stop the command."""
    while channel.recv_stderr_ready():
        into.add(channel.recv_stderr(READ))


def receive(channel: paramiko.Channel, stderr: Output, deadline: float) -> bytes | None:
    """The next bytes of standard output, b"" at its end, None when the deadline (monotonic) passes first."""
    while True:
        left = deadline - time.monotonic()
        if left <= 0 and not channel.recv_ready():
            return None
        channel.settimeout(max(0.001, min(SLICE, left)))
        try:
            return channel.recv(READ)
        except TimeoutError:
            pass  # nothing yet: the loop looks at the deadline
        finally:
            drain_stderr(channel, stderr)


def send(channel: paramiko.Channel, data: bytes, deadline: float) -> bool:
    """Send all of it; False when the other side stopped reading (its command ended). TimeoutError at the deadline."""
    view = memoryview(data)
    while view:
        try:
            # Pieces, not the whole: paramiko copies the rest of what it is given for every packet.
            view = view[channel.send(bytes(view[:PIECE])) :]
        except TimeoutError:
            if time.monotonic() > deadline:
                raise
        except OSError:
            return False  # paramiko's "Socket is closed"
    return True


def end_input(channel: Any) -> None:
    """Send the end of standard input. Not `shutdown_write`, which lets go of the channel's lock before it sends.

    The command may end meanwhile: paramiko's own thread then closes the channel, and OpenSSH ends the whole connection,
    with every other command on it, when it gets an end of input for a channel that is closed ("packet referred to
    nonexistent channel").
    """
    with channel.lock:
        message = channel._send_eof()
        if message is not None and channel.transport.active:
            channel.transport._send_user_message(message)


class Feeder:
    """Feeds standard input from a thread of its own: a command that answers meanwhile cannot block us, nor we it."""

    def __init__(self, channel: paramiko.Channel, chunks: Iterable[bytes], deadline: float) -> None:
        self.error: BaseException | None = None
        self._channel, self._chunks, self._deadline = channel, chunks, deadline
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def _feed(self) -> None:
        try:
            whole = all(self._sent(chunk) for chunk in self._chunks)
        except BaseException as error:  # noqa: BLE001  # the chunks come from the caller: it gets its own exception back
            self.error = error
            self._channel.close()
        else:
            if whole:
                end_input(self._channel)

    def _sent(self, chunk: bytes) -> bool:
        try:
            return send(self._channel, chunk, self._deadline)
        except TimeoutError:
            return False  # the reader meets the same deadline and says so

    def finish(self) -> None:
        """Wait for the thread; raise what the chunks raised."""
        self._thread.join(timeout=max(0.0, self._deadline - time.monotonic()) + SLICE)
        if self.error is not None:
            raise self.error


class Session:
    """A long-lived command that is spoken to by lines. One thread at a time reads, one writes."""

    STDERR_LIMIT = 256 * 1024

    def __init__(self, host: str, command: str, channel: paramiko.Channel) -> None:
        self.host, self.command = host, command
        self._channel = channel
        self._stderr = Output(self.STDERR_LIMIT)
        self._rest = b""

    def write(self, data: bytes, timeout: float = 30.0) -> None:
        """Send all of it; HostError when the command has ended or does not read for `timeout` seconds."""
        self._channel.settimeout(SLICE)
        try:
            sent = send(self._channel, data, time.monotonic() + timeout)
        except TimeoutError as error:
            raise HostError(
                self.host, f"`{self.command}` did not read its input for {timeout:g} s", fix=LOADED
            ) from error
        if not sent:
            raise self._ended()

    def read_line(self, timeout: float, limit: int) -> bytes:
        """The next line without its end; HostError on end of output, after `timeout` seconds, or past `limit` bytes."""
        deadline = time.monotonic() + timeout
        pieces, size, piece = [], 0, self._rest
        self._rest = b""
        while (end := piece.find(b"\n")) < 0:
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise HostError(self.host, f"`{self.command}` answered a line of more than {limit} bytes")
            received = receive(self._channel, self._stderr, deadline)
            if received is None:
                self._rest = b"".join(pieces)
                raise HostError(
                    self.host, f"`{self.command}` did not answer within {timeout:g} s{self._said()}", fix=LOADED
                )
            if not received:
                raise self._ended()
            piece = received
        if size + end > limit:
            raise HostError(self.host, f"`{self.command}` answered a line of more than {limit} bytes")
        self._rest = piece[end + 1 :]
        pieces.append(piece[:end])
        return b"".join(pieces)

    def stderr(self) -> str:
        """What it complained about so far, bounded."""
        drain_stderr(self._channel, self._stderr)
        return self._stderr.text()

    def close(self) -> None:
        """End its input and the channel; the command is expected to end with its input."""
        self._channel.close()

    def _said(self) -> str:
        text = self.stderr().strip()
        return ": " + "\n".join(text.splitlines()[-8:]) if text else ""

    def _ended(self) -> HostError:
        known = self._channel.status_event.wait(1.0)
        status = self._channel.exit_status if known else -1
        how = f"with status {status}" if status >= 0 else "with its connection"
        return HostError(self.host, f"`{self.command}` ended early, {how}{self._said()}")


LOADED = "the host may be overloaded or hung; look at it with `swarmlab ssh`"
