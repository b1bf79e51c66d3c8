"""A network namespace: opened once by a file descriptor, checked to be the one that was meant, entered to make sockets
in.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from swarmlab.agent.kernel import constants

_OWN = "/proc/self/ns/net"
_PROC_MAX = 1024 * 1024  # bytes read of one /proc file at most
_here: list[int] = []  # the namespaces entered, innermost last: blocks may nest
_CONTAINER = re.compile(r"[0-9a-f]{12,64}")


class Gone(Exception):
    """No such process or namespace, or it is not that container's (any more)."""


@functools.lru_cache(maxsize=1)
def home() -> int:
    """The agent's own namespace, to come back to."""
    return os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)


@dataclass
class Namespace:
    """Open until `close`; the descriptor keeps the namespace alive even when its container is gone, so `check` before
    use.
    """

    fd: int
    inode: int
    pid: int = 0
    container: str = ""
    path: str = ""
    born: str = ""

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets made inside this block belong to the namespace for good."""
        before = _here[-1] if _here else home()
        constants.setns(self.fd)
        _here.append(self.fd)
        try:
            yield
        finally:
            _here.pop()
            constants.setns(before)

    def check(self) -> None:
        """Raise `Gone` unless process and namespace are still the ones that were opened."""
        if self.pid:
            _check_process(self.pid, self.container, self.born)
        if self.pid or self.path:
            _check_inode(f"/proc/{self.pid}/ns/net" if self.pid else self.path, self.inode)

    def close(self) -> None:
        """Let go of it."""
        os.close(self.fd)


def open_namespace(pid: int, container: str, path: str) -> Namespace:
    """The namespace of `pid` (checked before and after: pids are reused), else of `path`, else our own. Raises
    `Gone`.
    """
    if pid:
        born = _check_process(pid, container, "")
        namespace = _opened(f"/proc/{pid}/ns/net", pid=pid, container=container, born=born)
    else:
        namespace = _opened(path or _OWN, path=path)
    try:
        namespace.check()
    except Gone:
        namespace.close()
        raise
    return namespace


def _opened(file: str, pid: int = 0, container: str = "", path: str = "", born: str = "") -> Namespace:
    try:
        fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise Gone(f"{file} cannot be opened: {error.strerror}") from None
    return Namespace(fd, os.fstat(fd).st_ino, pid, container, path, born)


def _check_process(pid: int, container: str, born: str) -> str:
    """When the process started; raises `Gone` when it ended, is another than the one `born` then, or not the
    container's.
    """
    stat = _proc(pid, "stat").rpartition(")")[2].split()
    if len(stat) < 20 or stat[0] in ("Z", "X"):
        raise Gone(f"process {pid} has ended")
    if born and stat[19] != born:
        raise Gone(f"process {pid} is another one now")
    if container and not _belongs(pid, container):
        raise Gone(f"process {pid} is not of container {container[:12]}")
    return stat[19]


def _belongs(pid: int, container: str) -> bool:
    """By cgroup (v1, v2), else by the container's own mounts, which name it when the cgroup path is hidden from us."""
    if not _CONTAINER.fullmatch(container):
        return False
    return container in _proc(pid, "cgroup") or f"/{container}/" in _proc(pid, "mountinfo")


def _proc(pid: int, name: str) -> str:
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read(_PROC_MAX).decode("utf-8", "replace")
    except OSError:
        raise Gone(f"process {pid} does not exist") from None


def _check_inode(file: str, inode: int) -> None:
    try:
        now = os.stat(file).st_ino
    except OSError:
        raise Gone(f"{file} does not exist any more") from None
    if now != inode:
        raise Gone(f"{file} is another namespace now")
