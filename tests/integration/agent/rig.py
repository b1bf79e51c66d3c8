"""Real namespaces on a switch of their own, and the real zipapp behind a pipe."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any

from swarmlab.probes.session.bundle import agent_archive, bootstrap

RUN = "00112233445566ff"
PORT = 41000
_numbers = itertools.count()


def run(*argv: str) -> str:
    """A command that must succeed."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, f"{argv}: {done.stderr}"
    return done.stdout


def wait_for(what: str, holds: Callable[[], bool], seconds: float = 5.0) -> None:
    """Poll a named condition until it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.02)


class Net:
    """Namespaces n0, n1, … with 10.77.0.1, 10.77.0.2, … on one bridge, which lives in a namespace too; removed by
    name.
    """

    def __init__(self, count: int) -> None:
        self.prefix = f"slt{os.getpid()}x{next(_numbers)}"
        self.switch = f"{self.prefix}sw"
        self.names = [f"{self.prefix}n{i}" for i in range(count)]
        self._processes: list[subprocess.Popen[bytes]] = []
        self._batch("netns", [f"add {name}" for name in [self.switch, *self.names]])
        subprocess.run(
            ["ip", "-n", self.switch, "-batch", "-"], input=self._wiring(), text=True, check=True, timeout=60
        )
        for index, name in enumerate(self.names):
            lines = f"link set lo up\nlink set eth0 up\naddr add {self.address(index)}/16 dev eth0\n"
            subprocess.run(["ip", "-n", name, "-batch", "-"], input=lines, text=True, check=True, timeout=30)

    def _wiring(self) -> str:
        lines = ["link add br0 type bridge forward_delay 0", "link set br0 up"]
        for index, name in enumerate(self.names):
            lines += [
                f"link add p{index} type veth peer name eth0 netns {name}",
                f"link set p{index} master br0",
                f"link set p{index} up",
            ]
        return "\n".join(lines) + "\n"

    def _batch(self, noun: str, lines: Sequence[str]) -> None:
        subprocess.run(
            ["ip", "-batch", "-"],
            input="".join(f"{noun} {line}\n" for line in lines),
            text=True,
            check=True,
            timeout=60,
        )

    @staticmethod
    def address(index: int) -> str:
        """The address of namespace `index`."""
        return f"10.77.{(index + 1) // 250}.{(index + 1) % 250}"

    def path(self, index: int) -> str:
        """What `open` takes as `path`."""
        return f"/run/netns/{self.names[index]}"

    def inside(self, index: int, *argv: str) -> str:
        """Run a command in namespace `index`."""
        return run("ip", "netns", "exec", self.names[index], *argv)

    def unplug(self, index: int) -> None:
        """From now on the switch loses every frame from and to this namespace, without a word."""
        run("ip", "-n", self.switch, "link", "set", f"p{index}", "nomaster")

    def spawn(self, index: int, *argv: str) -> subprocess.Popen[bytes]:
        """Start a process in namespace `index`; it is ended with the net."""
        process = subprocess.Popen(["ip", "netns", "exec", self.names[index], *argv], stdout=subprocess.PIPE)
        self._processes.append(process)
        return process

    def endpoint(self, index: int, **more: Any) -> dict[str, Any]:
        """An entry of `open`, with the id t0, t1, …"""
        return {"id": f"t{index}", "path": self.path(index), **more}

    def close(self) -> None:
        """Processes, then namespaces, by name."""
        for process in self._processes:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        for name in [*self.names, self.switch]:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, timeout=30)


class AgentProcess:
    """The zipapp, started by its bootstrap command."""

    def __init__(self, command: Sequence[str] = ()) -> None:
        archive = agent_archive()
        argv = list(command) or bootstrap(len(archive))
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, cwd="/")
        assert self.process.stdin is not None
        self.process.stdin.write(archive)
        self.process.stdin.flush()

    def send(self, **request: Any) -> None:
        """A request, without waiting."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """The next answer."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the agent ended: {self.end()}"
        answer = json.loads(line)
        assert isinstance(answer, dict)
        return answer

    def ask(self, **request: Any) -> dict[str, Any]:
        """A request and its answer."""
        self.send(**request)
        return self.receive()

    def open(
        self, endpoints: Sequence[dict[str, Any]], run_id: str = RUN, port: int = PORT
    ) -> dict[str, dict[str, Any]]:
        """Open, by endpoint id."""
        answer = self.ask(op="open", run=run_id, port=port, endpoints=endpoints)
        assert answer["op"] == "open", answer
        return {entry["id"]: entry for entry in answer["endpoints"]}

    def fire(self, probes: Sequence[tuple[int, str, str, str, int]], timeout: float = 0.4) -> dict[int, dict[str, Any]]:
        """Fire (id, source, protocol, address, port) tuples, by probe id."""
        keys = ("id", "source", "protocol", "address", "port")
        entries = [{key: probe[place] for place, key in enumerate(keys)} for probe in probes]
        answer = self.ask(op="fire", timeout=timeout, probes=entries, names=[])
        assert answer["op"] == "fire", answer
        return {entry["id"]: entry for entry in answer["probes"]}

    def names(self, names: Sequence[dict[str, Any]], timeout: float = 1.0) -> dict[int, dict[str, Any]]:
        """Ask names, by id."""
        answer = self.ask(op="fire", timeout=timeout, probes=[], names=names)
        assert answer["op"] == "fire", answer
        return {entry["id"]: entry for entry in answer["names"]}

    def seen(
        self, fired: dict[int, dict[str, Any]], target: str, protocols: Sequence[str], port: int = PORT
    ) -> dict[str, Any]:
        """What `target` saw of these probes, whose protocols are given in the order of their ids."""
        asked = [
            {"id": probe, "target": target, "protocol": protocols[place], "port": port, "sport": fired[probe]["sport"]}
            for place, probe in enumerate(sorted(fired))
        ]
        answer = self.ask(op="seen", probes=asked)
        assert answer["op"] == "seen", answer
        return answer

    def end(self) -> tuple[int, str]:
        """Close its input; its exit status and what it complained about."""
        assert self.process.stdin is not None and self.process.stderr is not None
        if not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            status = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            status = self.process.wait()
        return status, "" if self.process.stderr.closed else self.process.stderr.read().decode()

    def close(self) -> None:
        """End it and let go of the pipes."""
        self.end()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
