"""Talking to a machine over the Unix sockets in its lab's directory: its monitor (QMP), and the private way into its
guest.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from swarmlab.errors import DeadlinePassed, ProviderError

PATIENCE = 30.0  # seconds for the monitor's answer


class Lines:
    """A socket that is spoken to by lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = _connected(path)
        self._rest = b""

    def send(self, value: object) -> None:
        """One line of JSON."""
        try:
            self._socket.sendall(json.dumps(value).encode() + b"\n")
        except OSError as error:
            raise self._broken(error) from error

    def receive(self, timeout: float) -> str:
        """The next line; DeadlinePassed when there is none in time, ProviderError when there will be none."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self._rest:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                piece = self._socket.recv(65536)
            except TimeoutError as error:
                raise DeadlinePassed(
                    f"{self._path.name}: no answer within {timeout:g} s", fix=_look(self._path)
                ) from error
            except OSError as error:
                raise self._broken(error) from error
            if not piece:
                raise ProviderError(f"{self._path.name}: the machine ended", fix=_look(self._path))
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode("utf-8", "replace")

    def close(self) -> None:
        """Let others in: QEMU serves one at a time."""
        self._socket.close()

    def _broken(self, error: OSError) -> ProviderError:
        return ProviderError(f"{self._path.name}: {error.strerror or error}", fix=_look(self._path))


class Monitor:
    """QEMU's own command line for programs."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._lines.receive(PATIENCE)  # the greeting
        self("qmp_capabilities")

    def __call__(self, command: str, **arguments: object) -> Any:
        """Its answer; ProviderError when it refuses."""
        self._lines.send({"execute": command, "arguments": arguments})
        while True:
            said = json.loads(self._lines.receive(PATIENCE))
            if "error" in said:
                raise ProviderError(f"QEMU refuses `{command}`: {said['error'].get('desc', said['error'])}")
            if "return" in said:
                return said["return"]


@contextmanager
def monitor(path: Path) -> Iterator[Monitor]:
    """For a few commands."""
    with lines(path) as spoken:
        yield Monitor(spoken)


@contextmanager
def lines(path: Path) -> Iterator[Lines]:
    """A connection, closed at the end."""
    opened = Lines(path)
    try:
        yield opened
    finally:
        opened.close()


def _connected(path: Path) -> socket.socket:
    """A socket's address holds 107 bytes, a state directory's path may be longer: go through a handle of its
    directory.
    """
    made = socket.socket(socket.AF_UNIX)
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            made.settimeout(PATIENCE)
            made.connect(f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.close(folder)
    except OSError as error:
        made.close()
        raise ProviderError(f"{path}: the machine does not answer: {error.strerror}", fix=_look(path)) from error
    return made


def _look(path: Path) -> str:
    console = path.with_suffix(".console")
    return f"its console is {console}, which --no-rollback keeps; `swarmlab up` again starts what ended"
