"""The agent as bytes, and the command that runs them on a host without leaving a file there."""

from __future__ import annotations

import functools
import io
import zipfile
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the archive depends on the source alone, not on when it was made
_PACKAGE = "swarmlab/agent/"

# Runs on the host. Reads exactly so many bytes, unbuffered: what follows them on standard input is the protocol.
# A memfd without MFD_CLOEXEC survives exec; -I and -B: neither the host's environment nor its current directory
# matters.
_BOOTSTRAP = """
import os, sys
def die(text):
    sys.stderr.write("swarmlab agent: " + text + "\\n")
    sys.exit(3)
if sys.version_info < (3, 9):
    die("Python 3.9 or later is needed, this is " + sys.version.split()[0])
left = int(sys.argv[1])
try:
    fd = os.memfd_create("swarmlab-agent", 0)
except OSError as error:
    die("no anonymous file can be made: " + str(error))
while left:
    data = os.read(0, min(left, 65536))
    if not data:
        die("standard input ended before the agent had arrived")
    left -= len(data)
    while data:
        data = data[os.write(fd, data):]
python = sys.executable or "/usr/bin/python3"
os.execv(python, [python, "-I", "-B", "/proc/self/fd/%d" % fd])
"""


@functools.lru_cache(maxsize=1)
def agent_archive() -> bytes:
    """A zipapp of `swarmlab.agent`: the same bytes for the same source. Stored, so that no host needs zlib."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(_members().items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    return buffer.getvalue()


def _members() -> dict[str, bytes]:
    modules = dict(_modules(resources.files("swarmlab.agent"), ""))
    members = {_PACKAGE + name: data for name, data in modules.items() if name != "__main__.py"}
    return {**members, "swarmlab/__init__.py": b"", "__main__.py": modules["__main__.py"]}


def _modules(package: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    """Every module below a package, by its path."""
    for item in package.iterdir():
        if item.is_dir() and item.name != "__pycache__":
            yield from _modules(item, f"{path}{item.name}/")
        elif item.name.endswith(".py"):
            yield path + item.name, item.read_bytes()


def bootstrap(size: int) -> list[str]:
    """The command to run as root on a host; write `size` bytes of archive to its standard input, then speak the
    protocol.
    """
    return ["python3", "-I", "-B", "-c", _BOOTSTRAP, str(size)]
