"""Machines as data: what QEMU is asked for, who is found in the process table, what a guest is told."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from swarmlab.errors import DeadlinePassed, ProviderError, UsageError
from swarmlab.events import Bus
from swarmlab.providers.base import HostsWanted
from swarmlab.providers.images import machine as images
from swarmlab.providers.images.recipe import RECIPES
from swarmlab.providers.lab_keys import lab_keys
from swarmlab.providers.qemu import disk, fitness, kvm, processes, snapshot
from swarmlab.providers.qemu.disk import Disk
from swarmlab.providers.qemu.identity import identity
from swarmlab.providers.qemu.machine import Machine, argv, mac, segment
from swarmlab.providers.qemu.sockets import lines, monitor

HOME = "0123456789ab"


def _machine(folder: Path = Path("/lab"), accelerator: str = "tcg") -> Machine:
    return Machine("my-lab", "host1", HOME, folder, Path("/k"), Path("/i"), Path("/d,1.qcow2"), "qcow2", accelerator)


def test_a_machine_is_found_by_what_it_was_started_with() -> None:
    words = argv(_machine(), port=4022)
    found = processes.parse(9, "\0".join(["/usr/bin/" + words[0], *words[1:], ""]).encode())
    assert found == processes.Running(9, "my-lab", "host1", HOME)


@pytest.mark.parametrize(
    "words",
    [
        ["qemu-system-x86_64", "-name", "guest=swarmlab-x-host1"],
        ["qemu-system-x86_64", "-fw_cfg", f"name=opt/io.swarmlab/home,string={HOME}", "-name", "guest=other"],
        ["vim", "guest=swarmlab-x-host1", f"name=opt/io.swarmlab/home,string={HOME}"],
        [""],
    ],
)
def test_another_process_is_not_a_machine_of_ours(words: list[str]) -> None:
    assert processes.parse(9, "\0".join(words).encode()) is None


def test_a_comma_in_a_path_does_not_end_the_option() -> None:
    assert any("file=/d,,1.qcow2,format=qcow2" in word for word in argv(_machine()))


def test_the_way_in_listens_on_loopback_only_and_leads_nowhere_out() -> None:
    way = next(word for word in argv(_machine(), port=4022) if word.startswith("user,"))
    assert "hostfwd=tcp:127.0.0.1:4022-:22" in way and "restrict=on" in way


def test_a_copy_maps_the_saved_memory_privately() -> None:
    assert any("mem-path=/w/ram,share=off" in word for word in argv(_machine(), ram=Path("/w/ram"), wait=True))


def test_labs_and_homes_have_segments_of_their_own() -> None:
    pairs = [(lab, home) for lab in ("a", "b") for home in (HOME, "ba9876543210")]
    assert len({segment(*pair) for pair in pairs}) == 4
    assert len({mac(HOME, "a", number) for number in range(1, 201)}) == 200


def test_another_engine_accelerator_or_qemu_is_another_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(snapshot, "version", lambda: "QEMU emulator version 7.2.0")
    one = Disk(tmp_path / "vm-a")
    states = {snapshot.snapshot(one, accelerator, tmp_path).path for accelerator in ("kvm", "tcg")}
    states.add(snapshot.snapshot(Disk(tmp_path / "vm-b"), "tcg", tmp_path).path)
    monkeypatch.setattr(snapshot, "version", lambda: "QEMU emulator version 10.0.0")
    assert len(states | {snapshot.snapshot(one, "tcg", tmp_path).path}) == 4


def test_every_engine_has_a_disk_of_its_own_with_a_kernel() -> None:
    recipes = [images.machine_recipe(engine) for engine in RECIPES]
    assert len({one.tag for one in recipes}) == len(RECIPES)
    assert all("linux-image-cloud-amd64" in one.packages for one in recipes)


def test_the_disks_of_those_who_ask_for_nothing_do_not_know_of_other_suites() -> None:
    """Their hash names a disk that every user has: nothing of --kernel may go into it."""
    for engine in RECIPES:
        one = images.machine_recipe(engine)
        assert (one.borrowed, one.before, one.kernel) == ("", images.BEFORE, "")
        assert one.tag == f"vm-{one.suite}-{one.hash}"


def test_whoever_gets_sids_kernel_gets_the_initrd_that_before_configures() -> None:
    wanted = {"28.5": "", "26.1": "7.2", "20.10": "7.2"}
    assert all("initramfs-tools" in images.machine_recipe(engine, kernel).packages for engine, kernel in wanted.items())


def test_a_kernel_of_another_suite_is_another_disk_and_the_own_ones_is_not() -> None:
    several = [images.machine_recipe(engine, kernel).tag for engine in RECIPES for kernel in images.SUITES]
    assert len(set(several)) == len(several)
    own = {"20.10": "6.1", "26.1": "6.12", "28.5": "7.2"}
    assert all(
        images.machine_recipe(engine, kernel).tag == images.machine_recipe(engine).tag for engine, kernel in own.items()
    )
    assert images.machine_recipe("26.1", "6.1").tag.startswith("vm-trixie-6.1-")


def sources(root: Path, engine: str, kernel: str) -> str:
    """What apt is told of the second suite, in a root whose own packages come from these mirrors."""
    one, apt = images.machine_recipe(engine, kernel), root / "etc" / "apt"
    for directory in ("sources.list.d", "preferences.d"):
        (apt / directory).mkdir(parents=True, exist_ok=True)
    more = (
        ""
        if one.suite == "sid"
        else f"deb [a=b c] http://m/d {one.suite}-updates main\ndeb http://s/d {one.suite}-security main\n"
    )
    (apt / "sources.list").write_text(f'deb [signed-by="/x y"] http://m/d {one.suite} main\n{more}')
    for hook in one.before:
        subprocess.run(["sh", "-c", hook, "sh", str(root)], check=True)
    kernel_list = apt / "sources.list.d" / "kernel.list"
    return kernel_list.read_text().replace(images.KEYRING, "K") if kernel_list.exists() else ""


def test_of_another_suite_the_kernel_is_taken_and_no_more(tmp_path: Path) -> None:
    assert sources(tmp_path, "26.1", "6.12") == ""
    assert (
        sources(tmp_path, "26.1", "6.1") == "deb K http://m/d bookworm main\ndeb K http://s/d bookworm-security main\n"
    )
    assert sources(tmp_path, "26.1", "7.2") == "deb K http://m/d sid main\n", "sid has no security suite"
    pins = (tmp_path / "etc" / "apt" / "preferences.d" / "kernel").read_text()
    assert pins.startswith("Package: *\nPin: release n=sid*\nPin-Priority: 1\n")
    assert sources(tmp_path, "28.5", "6.1") == "deb K http://m/d bookworm main\n"


def test_each_host_has_its_recipe() -> None:
    found = images.machine_recipes("host2=28.5", "host1=6.1,host2=6.12", ["host1", "host2", "host3"])
    assert [one.runs for one in found.values()] == [
        {"engine": "26.1", "kernel": "6.1"},
        {"engine": "28.5", "kernel": "6.12"},
        {"engine": "26.1", "kernel": "6.12"},
    ]


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("5.10", "there is no kernel `5.10`\n  fix: use one of 6.1, 6.12, 7.2"),
        ("host9=6.1", "--kernel names host9, but the hosts are host1"),
        ("6.1,6.12", "--kernel `6.1,6.12` names 2 kernels for the same hosts\n  fix: write host1=6.1,host2=6.12"),
        (
            "host1=6.1,host1=7.2",
            "--kernel `host1=6.1,host1=7.2` names one host twice\n"
            "  fix: give each host one kernel: host1=6.1,host2=6.12",
        ),
        ("host1=", "there is no kernel ``\n  fix: use one of 6.1, 6.12, 7.2"),
        ("6.12,host1=", "there is no kernel ``\n  fix: use one of 6.1, 6.12, 7.2"),
    ],
)
def test_a_kernel_that_cannot_be_is_refused(wanted: str, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        images.machine_recipes("", wanted, ["host1"])
    assert str(caught.value) == text


def _bz_image(path: Path, version: bytes) -> Path:
    """The header of a kernel's image, with the version where it says it is."""
    head = bytearray(0x400)
    head[0x202:0x206], head[0x20E:0x210] = b"HdrS", (0x150).to_bytes(2, "little")
    path.write_bytes(bytes(head[:0x350]) + version + b" (debian-kernel@lists.debian.org) #1\0")
    return path


def test_a_kernel_says_what_it_is(tmp_path: Path) -> None:
    assert disk.release(_bz_image(tmp_path / "kernel", b"6.12.107+deb13-cloud-amd64")) == "6.12.107+deb13-cloud-amd64"
    (tmp_path / "other").write_bytes(b"x" * 0x400)
    assert disk.release(tmp_path / "other") == ""


def test_a_suite_that_has_gone_on_is_not_taken_for_what_it_was(tmp_path: Path) -> None:
    lab = tmp_path / "labs" / "x"
    for recipe in (images.machine_recipe("26.1", "6.1"), images.machine_recipe("28.5")):
        (disk.cache(lab) / recipe.tag).mkdir()
        _bz_image(disk.cache(lab) / recipe.tag / "kernel", b"6.12.3-cloud-amd64")
    with pytest.raises(ProviderError) as caught:
        disk.ensure(images.machine_recipe("26.1", "6.1"), lab, Bus())
    assert str(caught.value) == (
        "kernel 6.1 is asked for, and what Debian bookworm carries is 6.12.3-cloud-amd64\n"
        "  fix: leave --kernel out for these hosts, or ask for another one"
    )
    with pytest.raises(
        ProviderError, match=r"kernel 7.2 is asked for, and what Debian sid carries is 6.12.3-cloud-amd64"
    ):
        disk.ensure(images.machine_recipe("28.5", "7.2"), lab, Bus())
    assert disk.ensure(images.machine_recipe("28.5"), lab, Bus()).path.name.startswith("vm-sid-"), (
        "no kernel is asked for"
    )


def test_the_disk_is_made_inside_the_last_hook(tmp_path: Path) -> None:
    words = disk.command(images.machine_recipe("26.1"), tmp_path / "a b.tar", tmp_path / "o u t")
    assert words[-1] == "trixie" and "--format=null" in words
    assert f"mke2fs -q -t ext4 -d \"$1.bare\" '{tmp_path}/o u t'/disk.img" in words[-2]


def test_half_an_image_is_no_image(tmp_path: Path) -> None:
    lab, final = tmp_path / "labs" / "x", tmp_path / "images" / "vm"
    final.parent.mkdir()
    with pytest.raises(ZeroDivisionError), disk.half_made(lab, final) as work:
        (work / "disk.img").write_text("half")
        raise ZeroDivisionError
    assert not final.exists() and not list(lab.iterdir())
    with disk.half_made(lab, final) as work:
        (work / "disk.img").write_text("whole")
    assert (final / "disk.img").read_text() == "whole" and not list(lab.iterdir())


def test_what_is_missing_is_named_with_its_package() -> None:
    (problem,) = fitness.problems(lambda: ["qemu-system-x86", "qemu-utils"])
    assert problem.text == "not installed: qemu-system-x86_64, qemu-img"
    assert problem.fix.startswith("apt install --no-install-recommends qemu-system-x86 qemu-utils")


def test_too_many_machines_are_refused_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitness, "available", lambda: 2000)
    fitness.refuse_too_many(2)
    with pytest.raises(ProviderError, match="2000 MiB of memory are available, and 3 machines want about 2100"):
        fitness.refuse_too_many(3)


def test_kvm_is_tried_once_per_boot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tries: list[Path] = []

    def trial(kernel: Path) -> str:
        tries.append(kernel)
        return "no guest boots on it"

    monkeypatch.setattr(kvm, "DEVICE", tmp_path)
    monkeypatch.setattr(kvm, "_trial", trial)
    assert [kvm.why_not_kvm(tmp_path / "kernel", tmp_path) for _ in range(3)] == ["no guest boots on it"] * 3
    assert len(tries) == 1


def test_without_the_device_nothing_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kvm, "DEVICE", tmp_path / "kvm")
    assert kvm.why_not_kvm(tmp_path, tmp_path) == f"{tmp_path / 'kvm'} does not exist"


def test_copies_are_told_different_things_and_what_must_last_is_the_same(tmp_path: Path) -> None:
    wanted = HostsWanted("x", ("host1", "host2"), "", HOME, tmp_path)
    keys = lab_keys(tmp_path, wanted.machines)
    first, second = (identity(wanted, host, IPv4Network("172.29.0.0/24"), keys) for host in wanted.names)
    again = identity(wanted, "host1", IPv4Network("172.29.0.0/24"), keys)
    assert all(first[key] != second[key] for key in ("seed", "engine_id", "hostname", "mac", "address", "files"))
    assert all(first[key] == again[key] for key in ("hostname", "mac", "address", "files"))
    assert first["seed"] != again["seed"]


def test_the_machine_outside_is_told_that_it_has_no_engine_and_is_nobody_elses_twin(tmp_path: Path) -> None:
    wanted = HostsWanted("x", ("host1", "host2"), "", HOME, tmp_path, outside=True)
    assert wanted.machines == ["host1", "host2", "outside"]
    told = {
        host: identity(wanted, host, IPv4Network("172.29.0.0/24"), lab_keys(tmp_path, wanted.machines))
        for host in wanted.machines
    }
    assert [bool(one["engine_id"]) for one in told.values()] == [True, True, False]
    assert told["outside"]["address"] == "172.29.0.10/24"
    assert all(
        len({str(one[key]) for one in told.values()}) == 3 for key in ("seed", "hostname", "mac", "address", "files")
    )


def test_a_socket_is_reached_however_long_its_path(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 25) / ("path" * 25)
    folder.mkdir(parents=True)
    served = _serve(folder, b'{"QMP": {}}\n{"return": {}}\n{"event": "STOP"}\n{"return": {"status": "running"}}\n')
    with monitor(folder / "host1.qmp") as tell:
        assert tell("query-status") == {"status": "running"}
    served.join(5)


def test_what_qemu_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    _serve(tmp_path, b'{"QMP": {}}\n{"return": {}}\n{"error": {"class": "GenericError", "desc": "no such thing"}}\n')
    with (
        monitor(tmp_path / "host1.qmp") as tell,
        pytest.raises(ProviderError, match="QEMU refuses `cont`: no such thing"),
    ):
        tell("cont")


def test_a_machine_that_ended_and_one_that_is_silent_are_told_apart(tmp_path: Path) -> None:
    _serve(tmp_path, b"named\n")
    with lines(tmp_path / "host1.qmp") as way:
        assert way.receive(5) == "named"
        with pytest.raises(ProviderError, match="the machine ended"):
            way.receive(5)
    with pytest.raises(ProviderError, match="does not answer"):
        lines(tmp_path / "nobody.qmp").__enter__()
    (tmp_path / "host1.qmp").unlink()
    _serve(tmp_path, b"", hold=True)
    with lines(tmp_path / "host1.qmp") as way, pytest.raises(DeadlinePassed):
        way.receive(0.05)


def _serve(folder: Path, answers: bytes, *, hold: bool = False) -> threading.Thread:
    """Somebody who says `answers` to the first who comes, whatever they say; with `hold`, and stays until they go."""
    listener = socket.socket(socket.AF_UNIX)
    handle = os.open(folder, os.O_RDONLY)
    listener.bind(f"/proc/self/fd/{handle}/host1.qmp")
    os.close(handle)
    listener.listen()

    def answer() -> None:
        with listener, listener.accept()[0] as asker:
            asker.sendall(answers)
            while (hold or b"QMP" in answers) and asker.recv(4096):
                pass

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    return thread


def test_the_guests_line_is_json(tmp_path: Path) -> None:
    wanted = HostsWanted("x", ("host1",), "", HOME, tmp_path)
    line = json.dumps(identity(wanted, "host1", IPv4Network("172.29.0.0/24"), lab_keys(tmp_path, ["host1"])))
    assert "\n" not in line and json.loads(line)["files"]["/etc/machine-id"][0] == 0o444
