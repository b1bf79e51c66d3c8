"""An agent on every host, for as long as a proof needs them."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType

from swarmlab import probes
from swarmlab.agent.protocol.probing import Hello
from swarmlab.engine.client import Engine
from swarmlab.errors import HostError
from swarmlab.remote import fan_out

SECONDS = 30.0  # for one that was started earlier to say that it is still there


class Agents:
    """The agents of these hosts; they end with the block. `dead`: where none starts, and why; the others measure all
    the same.
    """

    def __init__(self, engines: Mapping[str, Engine]) -> None:
        self._engines = engines
        self.links: dict[str, probes.SessionLink] = {}
        self.dead: dict[str, str] = {}

    def start(self) -> None:
        """Have one on every host. One that was started ahead, while the host had little else to do, stays if it still
        answers.
        """
        fan_out(self._engines, self._start)

    def _start(self, engine: Engine) -> None:
        if engine.name in self.links and _answers(self.links[engine.name]):
            return
        self.links.pop(engine.name, None)
        self.dead.pop(engine.name, None)
        try:
            self.links[engine.name] = probes.SessionLink.start(engine.name, engine.remote.session)
        except HostError as error:
            self.dead[engine.name] = error.message

    def __enter__(self) -> Agents:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for link in list(self.links.values()):  # an interrupt abandons threads that may be starting more
            link.close()


def _answers(link: probes.SessionLink) -> bool:
    try:
        link.request(Hello(), SECONDS)
    except HostError:
        return False
    return True
