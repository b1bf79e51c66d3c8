"""Names, asked of a server in the asker's own namespace."""

from __future__ import annotations

import sys
import time

import pytest

from tests.integration.agent import responder
from tests.integration.agent.rig import AgentProcess, Net

pytestmark = pytest.mark.root


def question(number: int, name: str, *accepted: list[str], sender: str = "t0") -> dict[str, object]:
    """An entry of `names`."""
    return {"id": number, "source": sender, "name": name, "accepted": list(accepted)}


@pytest.fixture
def served(agent: AgentProcess, net: Net) -> AgentProcess:
    """t0 has a name server, t1 has none."""
    process = net.spawn(0, sys.executable, str(responder.__file__))
    assert process.stdout is not None and process.stdout.readline() == b"up\n"
    answer = agent.open([net.endpoint(0), net.endpoint(1)])
    assert {entry["error"] for entry in answer.values()} == {""}
    return agent


def test_answers_and_their_codes(served: AgentProcess) -> None:
    found = served.names([question(n, name) for n, name in enumerate(["db", "nobody", "broken", "pair"])], 5.0)
    assert [(e["outcome"], e["rcode"], e["sends"]) for e in found.values()] == [
        ("answered", "NOERROR", 1),
        ("answered", "NXDOMAIN", 1),
        ("answered", "SERVFAIL", 1),
        ("answered", "NOERROR", 1),
    ]
    assert found[0]["addresses"] == ["10.0.2.3"] and found[3]["addresses"] == ["10.0.2.4", "10.0.2.3"]


def test_an_accepted_set_counts_in_any_order_and_is_waited_for(served: AgentProcess) -> None:
    start = time.monotonic()
    found = served.names(
        [question(0, "pair", ["9.9.9.9"], ["10.0.2.3", "10.0.2.4"]), question(1, "slow", ["10.0.2.3"])], 10.0
    )
    assert [e["outcome"] for e in found.values()] == ["answered", "answered"]
    assert found[1]["addresses"] == ["10.0.2.3"] and found[1]["sends"] == 3
    assert time.monotonic() - start < 5


def test_an_answer_that_stays_wrong_is_reported_as_it_is(served: AgentProcess) -> None:
    found = served.names([question(0, "db", ["10.0.2.99"]), question(1, "nobody", ["10.0.2.3"])], 0.8)
    assert [(e["outcome"], e["rcode"], e["addresses"]) for e in found.values()] == [
        ("answered", "NOERROR", ["10.0.2.3"]),
        ("answered", "NXDOMAIN", []),
    ]
    assert all(e["sends"] == 2 and e["detail"] for e in found.values())


def test_silence_forgery_and_no_server_are_three_things(served: AgentProcess) -> None:
    found = served.names([question(0, "silent"), question(1, "forged"), question(2, "db", sender="t1")], 0.8)
    assert [(e["outcome"], e["rcode"], e["addresses"]) for e in found.values()] == [
        ("timed_out", "", []),
        ("timed_out", "", []),
        ("refused", "", []),
    ]


def test_a_truncated_answer_is_fetched_by_tcp(served: AgentProcess) -> None:
    found = served.names([question(0, "big", responder.MANY)], 5.0)
    assert (found[0]["outcome"], found[0]["addresses"]) == ("answered", responder.MANY)


def test_what_is_no_name_is_not_asked(served: AgentProcess) -> None:
    found = served.names([question(0, "a..b"), question(1, "x" * 64)], 5.0)
    assert [e["outcome"] for e in found.values()] == ["send_error", "send_error"]
    assert "not a DNS name" in found[0]["detail"]
