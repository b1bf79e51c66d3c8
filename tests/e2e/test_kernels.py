"""Hosts of one lab with different kernels: proven, kept, and refused where there is only one kernel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.driver import User, processes

KERNELS = "host1=6.1,host2=6.12"


def test_containers_have_one_kernel_and_nothing_is_made(user: User) -> None:
    refused = user.run("up", "three-tier", "--name", "kernels", "--kernel", KERNELS, "--provider", "docker")
    assert (refused.status, refused.out) == (2, "")
    assert "containers share this machine's kernel\n  fix: --provider qemu, or leave --kernel out" in refused.err
    assert not (user.home / "labs" / "kernels").exists()


@pytest.mark.vm
def test_an_encrypted_lab_of_two_kernels_is_proven_and_keeps_them(machines: User, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    try:
        ended = machines.run(
            "up",
            "three-tier",
            "--provider",
            "auto",
            "--name",
            "kernels",
            "--kernel",
            KERNELS,
            "--json",
            str(file),
            timeout=1200,
        )
        assert ended.status == 0, ended
        assert (
            "provider qemu: --kernel wants hosts with a kernel of their own; docker: containers share this" in ended.err
        )
        assert [host["kernel"].rsplit(".", 1)[0] for host in json.loads(file.read_text())["hosts"]] == [
            "6.1",
            "6.12",
            "6.12",
        ]
        refused = machines.run("up", "three-tier", "--provider", "auto", "--name", "kernels", "--kernel", "6.12")
        assert refused.status == 2
        assert "host1 of lab 'kernels' runs kernel 6.1, and 6.12 is asked for; the lab stays as it is" in refused.err
        assert machines.run("up", "three-tier", "--provider", "auto", "--name", "kernels", timeout=600).status == 0, (
            "what is not said stays"
        )
    finally:
        machines.run("down", "kernels")
    assert not processes("kernels")
