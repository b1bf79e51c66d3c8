"""A request that fits the protocol, and that the kernel cannot take, ends in an answer and not in the agent's death."""

from __future__ import annotations

import json

from swarmlab.agent.loop import Loop
from swarmlab.agent.main import Agent
from swarmlab.agent.protocol.probing import NamespaceSpec
from swarmlab.agent.protocol.wire import WireStart


def test_a_path_that_no_kernel_takes_is_refused_and_the_agent_lives() -> None:
    agent = Agent(Loop())
    request = WireStart("swlb00112233", 4789, 24000, {}, endpoints=(NamespaceSpec("api.1", path="/x\0y"),))
    answer = json.loads(agent.answer(request.line()))
    assert (answer["op"], "the host refuses" in answer["text"]) == ("error", True)
    assert json.loads(agent.answer(b'{"op": "hello"}'))["op"] == "hello"
