"""Drives the program as a user does: its command line, its files, its exit statuses; and breaks real networks on
purpose.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SWARMLAB = [sys.executable, "-m", "swarmlab"]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class User:
    """Somebody at a terminal with a SWARMLAB_HOME of their own."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        # Container hosts unless a test says otherwise: where QEMU is installed, `auto` would take a scenario with VIPs
        # to slow machines.
        containers = {"SWARMLAB_UP_PROVIDER": "docker", "SWARMLAB_MATRIX_PROVIDER": "docker"}
        return {**os.environ, **containers, "SWARMLAB_HOME": str(self.home), "COLUMNS": "80", "NO_COLOR": "1"}

    def run(self, *arguments: str, timeout: float = 300) -> Ended:
        """Run swarmlab to its end."""
        done = subprocess.run(
            [*SWARMLAB, *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start swarmlab in a process group of its own, so that signals reach it alone."""
        return subprocess.Popen(
            [*SWARMLAB, *arguments],
            env=self.environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            stdin=subprocess.DEVNULL,
            process_group=0,
        )

    def report(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Run with --format json and read the one document on standard output."""
        ended = self.run(*arguments, "--format", "json")
        assert ended.out.startswith("{"), f"no JSON on standard output: {ended}"
        return ended.status, json.loads(ended.out)

    def on(self, lab: str, host: str, *command: str) -> str:
        """Run a command as root on a lab host; it must succeed."""
        ended = self.run("ssh", lab, host, "--", *command, timeout=60)
        assert ended.status == 0, f"{command} on {host}: {ended}"
        return ended.out.strip()

    @contextmanager
    def broken(self, lab: str, host: str, breaking: list[str], mending: list[str]) -> Iterator[None]:
        """Break something on a host, and mend it whatever the test finds."""
        self.on(lab, host, *breaking)
        try:
            yield
        finally:
            self.on(lab, host, *mending)


def plain_three_tier() -> str:
    """The shipped scenario without its encryption, which container hosts can honour whatever the kernel lacks."""
    text = (ROOT / "scenarios/three-tier/compose.yaml").read_text()
    for pattern in (
        r"    driver_opts:\n      encrypted:.*\n",
        r"    - network: back-net\n      wire: encrypted\n      because:.*\n",
    ):
        text, count = re.subn(pattern, "", text)
        assert count == 1, pattern
    return text


Cells = set[tuple[str, str]]


def cells(report: Mapping[str, Any], verdict: str, kind: str = "reach") -> Cells:
    """(from, to) of the checks with that verdict."""
    return {(c["from"], c["to"]) for c in report["checks"] if c["verdict"] == verdict and c["kind"] == kind}


def checks(report: Mapping[str, Any], **wanted: str) -> list[dict[str, Any]]:
    """The checks that have all these values."""
    return [c for c in report["checks"] if all(c[key.rstrip("_")] == value for key, value in wanted.items())]


def leftovers(lab: str) -> list[str]:
    """Whatever of the lab the engine still has: containers, networks, volumes."""
    found = []
    for noun, flags in (("container", ["--all"]), ("network", []), ("volume", [])):
        argv = ["docker", noun, "ls", *flags, "--filter", f"label=io.swarmlab.lab={lab}", "--format", "{{json .}}"]
        found += subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    return found


def processes(lab: str) -> list[str]:
    """Command lines of the lab's machines."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # gone meanwhile
            found.append(path.read_bytes().decode(errors="replace"))
    return [line for line in found if f"swarmlab-{lab}-" in line]


def kill(process: subprocess.Popen[str], how: signal.Signals = signal.SIGKILL) -> int:
    """Signal it and wait for its end."""
    process.send_signal(how)
    process.communicate(timeout=120)
    return process.returncode
