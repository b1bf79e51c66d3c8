"""The stand-in image: a static busybox that takes the place of images which nobody can pull. Made in pure Python, no
engine needed.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path

from swarmlab.errors import ProviderError
from swarmlab.providers.images.recipe import LABEL

NAME = "swarmlab/stand-in:1"
PAGE = b"<!doctype html><title>stand-in</title><p>swarmlab stand-in: whatever should serve here, this answers.\n"
APPLETS = (
    "ash",
    "awk",
    "basename",
    "cat",
    "chmod",
    "chown",
    "clear",
    "cmp",
    "cp",
    "cut",
    "date",
    "dd",
    "df",
    "diff",
    "dirname",
    "du",
    "echo",
    "egrep",
    "env",
    "expr",
    "false",
    "fgrep",
    "find",
    "grep",
    "gunzip",
    "gzip",
    "head",
    "hostname",
    "httpd",
    "id",
    "ifconfig",
    "ip",
    "kill",
    "killall",
    "ln",
    "ls",
    "md5sum",
    "mkdir",
    "mktemp",
    "more",
    "mv",
    "nc",
    "netstat",
    "nslookup",
    "ping",
    "ping6",
    "printf",
    "ps",
    "pwd",
    "readlink",
    "realpath",
    "rm",
    "rmdir",
    "route",
    "sed",
    "seq",
    "sh",
    "sha256sum",
    "sleep",
    "sort",
    "stat",
    "tail",
    "tar",
    "tee",
    "telnet",
    "test",
    "time",
    "timeout",
    "top",
    "touch",
    "tr",
    "traceroute",
    "true",
    "tty",
    "udhcpc",
    "umount",
    "uname",
    "uniq",
    "uptime",
    "vi",
    "watch",
    "wc",
    "wget",
    "which",
    "whoami",
    "xargs",
    "yes",
)
# PID 1 has no default handlers, so it must trap TERM, or each stop would take the engine's ten seconds. Without a
# server it idles.
SERVE = b"""#!/bin/sh
trap 'exit 0' TERM INT
httpd -f -p 80 -h /www &
while :; do
    sleep 86400 &
    wait $!
done
"""
FILES = {
    "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n",
    "etc/group": b"root:x:0:\n",
    "www/index.html": PAGE,
}
FOLDERS = {"bin": 0o755, "etc": 0o755, "root": 0o700, "tmp": 0o1777, "www": 0o755}
MACHINES = {3: "386", 21: "ppc64le", 22: "s390x", 40: "arm", 62: "amd64", 183: "arm64", 243: "riscv64"}
PT_INTERP = 3
EPOCH = "1970-01-01T00:00:00Z"


def stand_in_archive(busybox: bytes) -> bytes:
    """The image as `docker save` would write it; the same bytes for the same busybox."""
    layer = _layer(busybox)
    config = _config(layer, MACHINES.get(_machine(busybox), "amd64"))
    image, folder = hashlib.sha256(config).hexdigest(), hashlib.sha256(layer).hexdigest()
    manifest = [{"Config": f"{image}.json", "RepoTags": [NAME], "Layers": [f"{folder}/layer.tar"]}]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        _add(tar, f"{image}.json", config, 0o644)
        _add(tar, f"{folder}/layer.tar", layer, 0o644)
        _add(tar, "manifest.json", json.dumps(manifest).encode(), 0o644)
    return out.getvalue()


def find_busybox(last_resort: Callable[[], bytes | None]) -> bytes:
    """This machine's static busybox or, failing that, what `last_resort` finds; ProviderError when there is neither."""
    for name in ("busybox", "busybox-static"):
        if found := shutil.which(name):
            data = Path(found).read_bytes()
            if is_static(data):
                return data
    taken = last_resort()
    if taken is None or not is_static(taken):
        raise ProviderError(
            "the stand-in image needs a static busybox, and there is none here", fix="apt install busybox-static"
        )
    return taken


def is_static(elf: bytes) -> bool:
    """Whether an ELF binary runs with no loader and no library: it has no PT_INTERP."""
    if elf[:4] != b"\x7fELF" or len(elf) < 64:
        return False
    wide, order = elf[4] == 2, "<" if elf[5] == 1 else ">"
    offset = struct.unpack_from(order + ("Q" if wide else "I"), elf, 32 if wide else 28)[0]
    size, count = struct.unpack_from(order + "HH", elf, 54 if wide else 42)
    if offset + size * count > len(elf):
        return False
    return all(struct.unpack_from(order + "I", elf, offset + size * number)[0] != PT_INTERP for number in range(count))


def _machine(elf: bytes) -> int:
    return int(struct.unpack_from("<H" if elf[5:6] != b"\x02" else ">H", elf, 18)[0]) if len(elf) >= 20 else 0


def _layer(busybox: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, mode in FOLDERS.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        _add(tar, "bin/busybox", busybox, 0o755)
        for applet in APPLETS:
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
        _add(tar, "bin/serve", SERVE, 0o755)
        for name, data in FILES.items():
            _add(tar, name, data, 0o644)
    return out.getvalue()


def _config(layer: bytes, architecture: str) -> bytes:
    run = {
        "Env": ["PATH=/bin"],
        "Cmd": ["/bin/serve"],
        "WorkingDir": "/",
        "User": "root",
        "Labels": {LABEL: "stand-in"},
    }
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}
    history = [{"created": EPOCH, "created_by": "swarmlab stand-in"}]
    whole = {
        "architecture": architecture,
        "os": "linux",
        "created": EPOCH,
        "config": run,
        "rootfs": rootfs,
        "history": history,
    }
    return json.dumps(whole, sort_keys=True).encode()


def _add(tar: tarfile.TarFile, name: str, data: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.size = mode, len(data)
    tar.addfile(entry, io.BytesIO(data))
