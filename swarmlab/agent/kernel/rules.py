"""The engine's packet filter rules for encrypted overlays, with their counters, whatever form of iptables holds
them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Collection, Iterator
from typing import NamedTuple

from swarmlab.agent.protocol.wire import FilterRule

_PATH = "/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/bin"
_COMMANDS = ("iptables-nft-save", "iptables-legacy-save", "iptables-save")
_LEGACY_TABLES = "/proc/net/ip_tables_names"
_MOST = 8 * 1024 * 1024  # bytes of one listing
_SECONDS = 30.0  # an emulated host takes seconds for one
_MOST_RULES = 500
_RULE = re.compile(r"\[(\d+):\d+\] -A (\S+) (.*)")
_TARGET = re.compile(r"-j (MARK|DROP|ACCEPT)\b(?: --set-x?mark (0x[0-9a-f]+|\d+))?")
_PORT = re.compile(r"--dport (\d+)")
_U32 = re.compile(r'--u32 "?0x0>>0x16&0x3c@0xc&0xffffff00=0x([0-9a-f]+)"?')
_BYTECODE = re.compile(r'--bytecode "?([0-9 ,]+)"?')
_AND, _SHIFT, _EQUAL = 84, 116, 21  # instructions of classic BPF


class Listed(NamedTuple):
    """`forms` are the listings that were read, `errors` why others were not."""

    rules: tuple[FilterRule, ...]
    forms: tuple[str, ...]
    errors: tuple[str, ...]


def read(vnis: Collection[int], wanted: Collection[str] = ()) -> Listed:
    """The rules about these VNIs, in order, from all listings, or only those `wanted`."""
    found: list[FilterRule] = []
    forms: list[str] = []
    errors: list[str] = []
    for form, command in commands():
        if wanted and form not in wanted:
            continue
        try:
            text = _listing(command)
        except (OSError, subprocess.SubprocessError) as error:
            errors.append(f"{os.path.basename(command)}: {error}"[:300])
            continue
        forms.append(form)
        found += parse(text, vnis, form)
    return Listed(tuple(found[:_MOST_RULES]), tuple(forms), tuple(errors))


def commands() -> list[tuple[str, str]]:
    """Form and command of each listing. Legacy tables are asked for only if the kernel has some: asking would make
    them.
    """
    found: dict[str, tuple[str, str]] = {}
    for name in _COMMANDS:
        command = shutil.which(name, path=_PATH)
        if command is None or (name == "iptables-save" and found):
            continue
        form = name.split("-")[1] if name != "iptables-save" else "iptables"
        if form != "legacy" or _has_legacy_tables():
            found[name] = (form, command)
    return list(found.values())


def _has_legacy_tables() -> bool:
    try:
        with open(_LEGACY_TABLES, encoding="ascii", errors="replace") as file:
            return bool(file.read(4096).strip())
    except OSError:
        return False


def _listing(command: str) -> str:
    with subprocess.Popen(
        [command, "-c"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            output, complaint = process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    if process.returncode:
        raise OSError(f"ended with status {process.returncode}: {complaint[-200:].decode(errors='replace').strip()}")
    return output[:_MOST].decode("utf-8", "replace")


def parse(text: str, vnis: Collection[int], form: str = "") -> Iterator[FilterRule]:
    """The rules about these VNIs in one listing."""
    table = ""
    places: dict[tuple[str, str], int] = {}
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        match = _RULE.fullmatch(line.strip())
        if match is None:
            continue
        packets, chain, rest = match.groups()
        place = places[table, chain] = places.get((table, chain), 0) + 1
        vni, target, port = vni_of(rest), _TARGET.search(rest), _PORT.search(rest)
        if vni in vnis and vni is not None and target is not None:
            mark = int(target.group(2), 0) if target.group(2) else 0
            dport = int(port.group(1)) if port else 0
            yield FilterRule(form, table, chain, place, vni, target.group(1), mark, dport, int(packets))


def vni_of(rule: str) -> int | None:
    """The VNI that a rule matches, by u32 or by either of the engine's BPF programs; None when it matches none.

    >>> vni_of('-m u32 --u32 "0x0>>0x16&0x3c@0xc&0xffffff00=0x100100" -j DROP')
    4097
    >>> vni_of('--bytecode "6,177 0 0 0,64 0 0 12,84 0 0 4294967040,21 1 0 1048832,6 0 0 0,6 0 0 4294967295" -j DROP')
    4097
    >>> vni_of('--bytecode "7,32 0 0 4294963252,7 0 0 0,64 0 0 4,116 0 0 8,21 1 0 4097,6 0 0 0,6 0 0 4294967295"')
    4097
    """
    match = _U32.search(rule)
    if match:
        return int(match.group(1), 16) >> 8
    match = _BYTECODE.search(rule)
    if match is None:
        return None
    steps = [[int(number) for number in step.split()] for step in match.group(1).split(",")[1:]]
    values = {step[0]: step[3] for step in steps if len(step) == 4}
    if _EQUAL not in values:
        return None
    if values.get(_AND) == 0xFFFFFF00:  # up to 27: compared where it stands, in the upper 24 bits
        return values[_EQUAL] >> 8
    return values[_EQUAL] if values.get(_SHIFT) == 8 else None
