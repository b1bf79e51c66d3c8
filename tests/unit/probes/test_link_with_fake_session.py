"""SessionLink over a fake session: every way in which an agent can fail to answer becomes a HostError that says what to
do.
"""

from __future__ import annotations

import json

import pytest

from swarmlab.agent.protocol.bounds import MAX_LINE, MAX_VALUES
from swarmlab.agent.protocol.message import VERSION
from swarmlab.agent.protocol.probing import Close, CloseAnswer, Fire, NameSpec, Seen
from swarmlab.errors import HostError
from swarmlab.probes.session.link import SessionLink


class FakeSession:
    command = "python3 -c 'a long program'"

    def __init__(self, *lines: bytes | Exception, complaint: str = "", mute: bool = False) -> None:
        self.lines, self.complaint, self.mute = list(lines), complaint, mute
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        if self.mute:
            raise OSError("Socket is closed")
        self.written += data

    def read_line(self, timeout: float, limit: int) -> bytes:
        assert limit == MAX_LINE
        line = self.lines.pop(0)
        if isinstance(line, Exception):
            raise line
        return line

    def stderr(self) -> str:
        return self.complaint

    def close(self) -> None:
        self.closed = True


HELLO = b'{"op": "hello", "version": %d, "missing_features": []}\n' % VERSION


def start(session: FakeSession) -> SessionLink:
    return SessionLink.start("host1", lambda argv: session, archive=b"ZIP", argv=["python3", "-c", "…"])


def test_start_sends_the_archive_and_hears_the_version() -> None:
    session = FakeSession(HELLO)
    assert start(session).hello.version == VERSION
    assert session.written == b'ZIP{"op":"hello"}\n'


def test_another_version_is_refused() -> None:
    session = FakeSession(b'{"op": "hello", "version": 9}\n')
    with pytest.raises(HostError, match="host1: the agent there speaks version 9, expected 2"):
        start(session)
    assert session.closed


@pytest.mark.parametrize(
    ("complaint", "fix"),
    [
        ("bash: line 1: python3: command not found", "install the package python3 on that host"),
        ("ModuleNotFoundError: No module named 'http.client'", "python3-minimal is not enough"),
    ],
)
def test_a_host_without_a_fit_python_is_told_how_to_get_one(complaint: str, fix: str) -> None:
    with pytest.raises(HostError) as caught:
        start(FakeSession(b"", complaint=complaint))
    assert complaint in caught.value.message
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            HostError("host1", "`python3 -c 'a long program'` ended early, with status 3: bad"),
            "host1: the agent ended early, with status 3: bad",
        ),
        (TimeoutError(), "did not answer `fire` within 3 s"),
        (OSError("Connection reset by peer"), "Connection reset by peer"),
        (EOFError("closed"), "cannot be heard"),
        (b"", "the agent ended: it said nothing"),
        (b"Welcome to Debian!\n", "not JSON"),
        (b"[1]\n", "something else than `fire`"),
        (b'{"op": "seen"}\n', "something else than `fire`"),
        (b"[" * 100_000, "not JSON"),
        (b"[" + b"0," * MAX_VALUES + b"0]", "not JSON"),
    ],
)
def test_after_any_failure_no_later_answer_is_taken_for_the_next_requests(answer: bytes | Exception, text: str) -> None:
    session = FakeSession(HELLO, answer, b'{"op": "seen"}\n')
    link = start(session)
    with pytest.raises(HostError) as caught:
        link.request(Fire(1.0), 3.0)
    assert text in str(caught.value)
    assert session.closed
    with pytest.raises(HostError):
        link.request(Seen(), 3.0)


def test_an_error_answer_fails_the_request_and_keeps_the_conversation() -> None:
    link = start(FakeSession(HELLO, b'{"op": "error", "text": "no such run"}\n', b'{"op": "close"}\n'))
    with pytest.raises(HostError, match="cannot do `fire`: no such run"):
        link.request(Fire(1.0), 3.0)
    assert link.request(Close(), 3.0) == CloseAnswer()


def test_a_closed_pipe_is_a_host_error() -> None:
    with pytest.raises(HostError, match="cannot be spoken to"):
        start(FakeSession(mute=True))


def test_a_request_is_one_line() -> None:
    session = FakeSession(HELLO, b'{"op": "fire"}\n')
    start(session).request(Fire(1.0, names=(NameSpec(0, "api.1", "a\nb"),)), 3.0)
    last = session.written.splitlines()[-1]
    assert [asked["name"] for asked in json.loads(last)["names"]] == ["a\nb"]
