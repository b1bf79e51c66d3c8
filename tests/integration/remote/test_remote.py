"""One host over real SSH: what is run, sent and answered, and each way in which it goes wrong."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from swarmlab.errors import CommandFailed, HostError
from swarmlab.model.host import Host
from swarmlab.remote import Remote, fan_out, make_host_key, make_keypair
from tests.integration.providers.lab import Lab
from tests.integration.providers.lab import lab as make_lab

pytestmark = [pytest.mark.lab, pytest.mark.root]
ODD = [
    "",
    " ",
    "a b",
    "$HOME",
    "`id`",
    "$(id)",
    "it's",
    '"',
    "\\",
    "*",
    ";",
    "&",
    "|",
    "\n",
    "-n",
    "ä€😀",
    "#",
    "~",
    "!",
]
ECHO = "import sys\nfor line in sys.stdin: print('y' * int(line), flush=True)"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    yield from make_lab(tmp_path_factory.mktemp("remote"), 1)


@pytest.fixture(scope="module")
def host(lab: Lab) -> Host:
    return lab.hosts[0]


@pytest.fixture(scope="module")
def remote(host: Host) -> Iterator[Remote]:
    with Remote(host) as made:
        made.connect(10)
        yield made


def test_odd_characters_arrive_as_they_are(remote: Remote) -> None:
    shown = remote.run(["python3", "-c", "import sys, json; print(json.dumps(sys.argv[1:]))", *ODD]).stdout
    assert json.loads(shown) == ODD


def test_input_and_both_outputs(remote: Remote) -> None:
    ran = remote.run(["sh", "-c", "cat; echo oops >&2"], stdin="grüße\n".encode())
    assert (ran.stdout, ran.stderr, ran.status) == ("grüße\n", "oops\n", 0)


def test_a_command_that_reads_input_is_not_left_waiting_when_there_is_none(remote: Remote) -> None:
    assert remote.run(["cat"], timeout=5).stdout == ""


def test_a_failure_names_host_command_status_and_reason(remote: Remote) -> None:
    with pytest.raises(CommandFailed) as caught:
        remote.run(["sh", "-c", "echo no such thing >&2; exit 7"])
    assert caught.value.message == "host1: `sh -c 'echo no such thing >&2; exit 7'` ended with status 7: no such thing"
    assert caught.value.exit_status == 7
    assert remote.run(["sh", "-c", "exit 7"], check=False).status == 7


def test_much_on_both_outputs_at_once(remote: Remote) -> None:
    script = "head -c 6000000 /dev/zero | tr '\\0' e >&2 & head -c 9000000 /dev/zero | tr '\\0' o; wait"
    ran = remote.run(["sh", "-c", script])
    assert (len(ran.stdout), len(ran.stderr)) == (9_000_000, 6_000_000)


def test_too_much_is_cut_off(remote: Remote) -> None:
    with pytest.raises(HostError, match="answered more than 1000000 bytes"):
        remote.run(["cat", "/dev/zero"], limit=1_000_000, timeout=20)
    assert remote.run(["echo", "well"]).stdout == "well\n"


def test_a_command_that_does_not_end(remote: Remote) -> None:
    start = time.monotonic()
    with pytest.raises(HostError, match=r"`sleep 30` did not end within 0\.3 s"):
        remote.run(["sleep", "30"], timeout=0.3)
    assert time.monotonic() - start < 3


def test_much_input_to_a_command_that_does_not_want_it(remote: Remote) -> None:
    assert remote.run(["true"], stdin=b"x" * 50_000_000, timeout=20).status == 0


def test_input_is_streamed_and_its_own_errors_come_back(remote: Remote) -> None:
    assert remote.feed(["wc", "-c"], (b"x" * 1_000_000 for _ in range(5)), 30).stdout == "5000000\n"

    def broken() -> Iterator[bytes]:
        yield b"first"
        raise FileNotFoundError("the archive went away")

    with pytest.raises(FileNotFoundError, match="the archive went away"):
        remote.feed(["wc", "-c"], broken(), 10)


def test_several_threads_at_once(remote: Remote) -> None:
    texts = [f"number {number}" for number in range(20)]
    assert fan_out(texts, lambda text: remote.run(["echo", text]).stdout, workers=20) == {
        text: f"{text}\n" for text in texts
    }


def test_a_file_is_put_whole_with_its_mode_and_directories(remote: Remote) -> None:
    remote.put(b"one", "/srv/it's here/deep/file", 0o640)
    remote.put(b"two", "/srv/it's here/deep/file", 0o640)
    assert remote.run(["cat", "/srv/it's here/deep/file"]).stdout == "two"
    assert remote.run(["stat", "-c", "%a", "/srv/it's here", "/srv/it's here/deep/file"]).stdout.split() == [
        "700",
        "640",
    ]
    assert remote.run(["ls", "-A", "/srv/it's here/deep"]).stdout.split() == ["file"]


def test_a_file_that_cannot_be_put_leaves_nothing(remote: Remote) -> None:
    remote.run(["mkdir", "-p", "/srv/taken/file"])
    with pytest.raises(CommandFailed):
        remote.put(b"one", "/srv/taken/file")
    assert remote.run(["ls", "-A", "/srv/taken"]).stdout.split() == ["file"]


def test_a_session_answers_line_by_line_and_keeps_pace(remote: Remote) -> None:
    session = remote.session(["python3", "-c", ECHO])
    session.write(b"3\n2\n")
    assert [session.read_line(5, 10), session.read_line(5, 10)] == [b"yyy", b"yy"]
    start = time.monotonic()
    session.write(b"10000000\n")
    assert len(session.read_line(10, 20_000_000)) == 10_000_000
    assert time.monotonic() - start < 2
    session.close()


def test_a_session_that_says_too_much_or_nothing(remote: Remote) -> None:
    session = remote.session(["python3", "-c", ECHO])
    with pytest.raises(HostError, match=r"did not answer within 0\.2 s"):
        session.read_line(0.2, 10)
    session.write(b"100\n")
    with pytest.raises(HostError, match="a line of more than 10 bytes"):
        session.read_line(5, 10)
    session.close()


def test_a_session_that_ends_tells_why(remote: Remote) -> None:
    session = remote.session(["sh", "-c", "echo no python here >&2; exit 3"])
    with pytest.raises(HostError, match="ended early, with status 3: no python here"):
        session.read_line(5, 10)


def test_a_sessions_command_ends_with_it(remote: Remote) -> None:
    session = remote.session(["sh", "-c", "echo $$; exec cat"])
    pid = session.read_line(5, 100).decode()
    session.close()
    gone = [
        "sh",
        "-c",
        'n=0; while [ -d "/proc/$1" ]; do n=$((n+1)); [ $n -gt 50 ] && exit 1; sleep 0.1; done',
        "sh",
        pid,
    ]
    assert remote.run(gone, check=False).status == 0


def test_another_host_key_is_refused_and_named(host: Host, tmp_path: Path) -> None:
    other = tmp_path / "known_hosts"
    other.write_text(f"[127.0.0.1]:{host.ssh.port} {make_host_key().public}\n")
    start = time.monotonic()
    with pytest.raises(HostError, match=f"host1: the host key of .* is not the one pinned in {other}"):
        Remote(replace(host, ssh=replace(host.ssh, known_hosts=other))).connect(10)
    assert time.monotonic() - start < 3, "waiting cannot help here"


def test_an_unknown_host_key_is_refused_and_not_learnt(host: Host, tmp_path: Path) -> None:
    empty = tmp_path / "known_hosts"
    empty.write_text("")
    with pytest.raises(HostError, match="no host key is pinned for"):
        Remote(replace(host, ssh=replace(host.ssh, known_hosts=empty))).connect(10)
    assert empty.read_text() == ""


def test_a_wrong_identity(
    host: Host, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    wrong, _ = make_keypair(tmp_path, "wrong")
    with caplog.at_level(logging.DEBUG), pytest.raises(HostError) as caught:
        Remote(replace(host, ssh=replace(host.ssh, identity=wrong))).connect(10)
    assert caught.value.message == f"host1: 127.0.0.1:{host.ssh.port} does not accept {wrong} for user root"
    assert capfd.readouterr() == ("", "")


def test_a_missing_identity_or_known_hosts(host: Host, tmp_path: Path) -> None:
    missing = tmp_path / "none"
    for ssh in (replace(host.ssh, identity=missing), replace(host.ssh, known_hosts=missing)):
        with pytest.raises(HostError, match=f"host1: {missing} cannot be read: No such file or directory"):
            Remote(replace(host, ssh=ssh)).connect(10)


def test_a_user_that_the_host_does_not_have(host: Host) -> None:
    with pytest.raises(HostError, match="for user nobody-here"):
        Remote(replace(host, ssh=replace(host.ssh, user="nobody-here"))).connect(10)


def test_a_connection_that_is_lost_in_mid_command_and_a_host_that_is_gone(lab: Lab, host: Host) -> None:
    remote = Remote(host)
    remote.connect(10)
    session = remote.session(["cat"])
    container = docker.from_env().containers.get(f"swarmlab-{lab.wanted.lab}-host1")
    container.kill()
    with pytest.raises(HostError, match="host1: `cat` ended early, with its connection"):
        session.read_line(10, 10)
    with pytest.raises(
        HostError, match=r"host1: no SSH connection within 0\.5 s: .*127.0.0.1:\d+ (refuses|fails)"
    ) as caught:
        Remote(host).connect(0.5)
    assert "swarmlab status" in caught.value.fix
