"""How fast, as ratios side by side in one run: `up` against the same bring-up by hand, `verify` of 10,620 probes,
`down`. Medians.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from swarmlab.lab.build import BUILDERS
from swarmlab.providers.images import recipe
from swarmlab.scenario import STAND_IN_IMAGE

HERE = Path(__file__).parent
THREE_TIER = HERE.parent / "scenarios" / "three-tier" / "compose.yaml"
NEIGHBOURS = Path("/proc/sys/net/ipv4/neigh/default")
BY_HAND = [str(HERE / "by_hand.sh")]
SWARMLAB = [sys.executable, "-m", "swarmlab"]


def main() -> None:
    """Run what is asked for and print a line per figure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5, help="how often each is measured (default 5)")
    options.add_argument("--only", choices=["up", "verify"], help="just one of the two")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="swarmlab-bench-") as home:
        os.environ["SWARMLAB_HOME"] = home
        try:
            if chosen.only != "verify":
                bench_up(chosen.rounds, Path(home))
            if chosen.only != "up":
                bench_verify(chosen.rounds)
        finally:
            swarmlab("down", "--all")
            run([*BY_HAND, "down"])


def bench_up(rounds: int, home: Path) -> None:
    """`up` with its proof, by turns with the script that proves nothing; each once unmeasured first, for the images."""
    archive, compose = home / "stand-in.tar", home / "compose.yaml"
    archive.write_bytes(BUILDERS[STAND_IN_IMAGE]())
    # Without its encryption, so that every kernel can show all of it; the script by hand gets the same networks and
    # services.
    text = re.sub(
        r"    driver_opts:\n      encrypted:.*\n|    - network: back-net\n      wire: encrypted\n.*\n",
        "",
        THREE_TIER.read_text(),
    )
    compose.write_text(text[: text.index("x-swarmlab:")])
    scenario = home / "three-tier.yaml"
    scenario.write_text(text)
    up = ("up", str(scenario), "--name", "bench", "--provider", "docker")
    swarmlab(*up)
    swarmlab("down", "bench")
    ours, hand, downs = [], [], []
    phases: dict[str, list[float]] = {}
    for _ in range(rounds):
        hand.append(timed(lambda: run([*BY_HAND, "up", recipe.recipe("20.10").tag, str(archive), str(compose)])))
        run([*BY_HAND, "down"])
        report: dict[str, Any] = {}
        ours.append(timed(lambda report=report: report.update(json.loads(swarmlab(*up, "--format", "json")))))
        for phase, seconds in report["timings"].items():
            phases.setdefault(phase, []).append(seconds)
        downs.append(timed(lambda: swarmlab("down", "bench")))
    ratio = statistics.median(ours) / statistics.median(hand)
    say("up three-tier, 3 hosts, proof included", ours)
    say("the same by hand, nothing proven", hand)
    print(f"ratio {ratio:.2f} (at most 1.3 wanted)")
    print("where the time goes: " + " · ".join(f"{p} {statistics.median(s):.2f} s" for p, s in phases.items()))
    say("down (at most 5 s wanted)", downs)


def bench_verify(rounds: int) -> None:
    """60 tasks, every ordered pair, three protocols; and the same with a table of neighbours that is too small."""
    with neighbours(16384):
        swarmlab("up", str(HERE / "sixty.yaml"), "--name", "sixty", "--provider", "docker", "--no-verify")
        taken, probes = [], 0
        phases: dict[str, list[float]] = {}
        for _ in range(rounds):
            report: dict[str, Any] = {}
            taken.append(
                timed(lambda report=report: report.update(json.loads(swarmlab("verify", "sixty", "--format", "json"))))
            )
            reach = [c for c in report["checks"] if c["kind"] == "reach"]
            probes = len(reach)
            if report["summary"]["fail"] or report["summary"]["inconclusive"]:
                print(f"not all proven: {report['summary']}")
            for phase, seconds in report["timings"].items():
                phases.setdefault(phase, []).append(seconds)
    middle = statistics.median(taken)
    say(f"verify of 60 tasks, {probes} probes (time-out 2 s; at most 4 s wanted)", taken)
    print(f"{probes / middle:.0f} probes/s over the whole call (at least 2500 wanted)")
    print("where the time goes: " + " · ".join(f"{p} {statistics.median(s):.2f} s" for p, s in phases.items()))
    swarmlab("down", "sixty")


@contextlib.contextmanager
def neighbours(limit: int) -> Iterator[None]:
    """The kernel's table of neighbours is shared by all container hosts; its default holds about 30 tasks' worth. Put
    back afterwards.
    """
    files = {NEIGHBOURS / name: str(limit) for name in ("gc_thresh3", "gc_thresh2")}
    before = {file: file.read_text() for file in files}
    try:
        for file, text in files.items():
            file.write_text(text)
        yield
    finally:
        for file in reversed(files):
            file.write_text(before[file])


def swarmlab(*arguments: str) -> str:
    """Standard output of the command; verdicts are not ours to judge here."""
    done = subprocess.run([*SWARMLAB, *arguments], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 4):
        sys.exit(re.sub(r"\s+$", "", done.stderr) or f"swarmlab {' '.join(arguments)} ended with {done.returncode}")
    return done.stdout


def run(argv: list[str]) -> None:
    """It must succeed."""
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def timed(work: Callable[[], object]) -> float:
    """Seconds that it took."""
    start = time.monotonic()
    work()
    return time.monotonic() - start


def say(what: str, seconds: list[float]) -> None:
    """Median and spread."""
    spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
    print(f"{what}: median {statistics.median(seconds):.2f} s of {len(seconds)} ({spread})")


if __name__ == "__main__":
    main()
