"""A process is its container's only if the kernel says so."""

from __future__ import annotations

import pytest

from swarmlab.agent.kernel import namespace
from swarmlab.agent.kernel.namespace import Gone, _check_process

ID = "3f" * 32
STAT = "812 (evil) S 1) S " + " ".join(["0"] * 18) + " 4711 0 0"
V1 = f"12:pids:/docker/{ID}\n1:name=systemd:/docker/{ID}\n"
V2 = f"0::/system.slice/docker-{ID}.scope\n"
HIDDEN = "0::/\n"
MOUNTS = f"812 1 8:1 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw\n"


def proc(monkeypatch: pytest.MonkeyPatch, **files: str) -> None:
    """What /proc/PID shows."""
    monkeypatch.setattr(namespace, "_proc", lambda _pid, name: files.get(name, ""))


@pytest.mark.parametrize(("cgroup", "mountinfo"), [(V1, ""), (V2, ""), (HIDDEN, MOUNTS)])
def test_it_belongs(monkeypatch: pytest.MonkeyPatch, cgroup: str, mountinfo: str) -> None:
    proc(monkeypatch, stat=STAT, cgroup=cgroup, mountinfo=mountinfo)
    assert _check_process(812, ID, "") == "4711"


@pytest.mark.parametrize(("container", "cgroup"), [("4e" * 32, V2), (ID, HIDDEN), ("docker", V1), ("/", V1)])
def test_it_does_not_belong(monkeypatch: pytest.MonkeyPatch, container: str, cgroup: str) -> None:
    proc(monkeypatch, stat=STAT, cgroup=cgroup)
    with pytest.raises(Gone, match="process 812 is not of container"):
        _check_process(812, container, "")


def test_a_number_that_was_given_to_another_process_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    proc(monkeypatch, stat=STAT, cgroup=V2)
    with pytest.raises(Gone, match="another one now"):
        _check_process(812, ID, "4710")


def test_a_zombie_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    proc(monkeypatch, stat=STAT.replace(") S 0", ") Z 0"))
    with pytest.raises(Gone, match="has ended"):
        _check_process(812, "", "")
