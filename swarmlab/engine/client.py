"""One host's Engine API: the Docker SDK over one channel of the host's SSH connection, which is kept open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import requests
import urllib3
from docker import APIClient
from docker.errors import APIError, DockerException
from docker.transport.basehttpadapter import BaseHTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from swarmlab.errors import HostError, SwarmlabError
from swarmlab.remote.wait import until

if TYPE_CHECKING:
    from swarmlab.remote import Remote

OLDEST_API, NEWEST_API = "1.41", "1.44"  # of engine 20.10; of 25 and later, which have dropped nothing we use
LABEL = "io.swarmlab.lab"  # on everything that we make inside engines and Swarms
STACK_LABEL = "com.docker.stack.namespace"  # set by `docker stack deploy`


class _Connection(HTTPConnection):
    """HTTP over a channel that runs the engine's own relay, `docker system dial-stdio`."""

    def __init__(self, remote: Remote, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self.remote = remote

    def connect(self) -> None:
        channel: Any = self.remote.channel(["docker", "system", "dial-stdio"])
        channel.settimeout(self.timeout)
        self.sock = channel


class _Pool(HTTPConnectionPool):
    """Never asks a channel for a file number: paramiko would open a pipe for each."""

    def __init__(self, remote: Remote, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout, maxsize=4)
        self.remote, self.seconds = remote, timeout

    def _new_conn(self) -> Any:
        return _Connection(self.remote, self.seconds)

    def _get_conn(self, timeout: float | None = None) -> Any:
        try:
            return (self.pool.get(block=False) if self.pool else None) or self._new_conn()
        except urllib3.connectionpool.queue.Empty:  # type: ignore[attr-defined]
            return self._new_conn()


class _Adapter(BaseHTTPAdapter):
    def __init__(self, remote: Remote, timeout: float) -> None:
        super().__init__()
        self._pool = _Pool(remote, timeout)

    def get_connection(self, url: Any, proxies: Any = None) -> Any:
        return self._pool

    def close(self) -> None:
        super().close()
        self._pool.close()


class Engine:
    """The engine of one host. `api` is the SDK's client; wrap calls in `with engine.errors("do what"):`."""

    def __init__(self, remote: Remote, timeout: float = 60.0) -> None:
        self.remote = remote
        self.name = remote.host.name
        self.address = remote.host.address
        self._adapter = _Adapter(remote, timeout)
        with self.errors("ask the engine for its version"):
            # Versions are given so that the SDK does not dial out before our adapter is in place.
            self.api = self._client(OLDEST_API, timeout)
            self.version: dict[str, Any] = self.api.version(api_version=False)
            self.api = self._client(min(self.version["ApiVersion"], NEWEST_API, key=_numbers), timeout)

    def _client(self, api_version: str, timeout: float) -> Any:
        client = APIClient(base_url="http://localhost:1", version=api_version, timeout=int(timeout))
        client.base_url = "http+docker://ssh"
        client.mount("http+docker://ssh", self._adapter)
        return client

    @contextmanager
    def errors(self, doing: str, fix: str = "") -> Iterator[None]:
        """Translate what the SDK raises into HostError, with the host's name and what could not be done (`doing`)."""
        try:
            yield
        except SwarmlabError:
            raise  # some of ours are OSErrors too, and say more already
        except APIError as error:
            text = str(error.explanation or error)
            raise HostError(self.name, f"the engine refused to {doing}: {text.strip()[:2000]}", fix=fix) from error
        except (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            text = f"cannot {doing}: the engine does not answer ({_short(error)})"
            raise HostError(self.name, text, fix=fix or ENGINE_DOWN) from error

    def info(self) -> dict[str, Any]:
        """`docker info`."""
        with self.errors("describe itself"):
            info: dict[str, Any] = self.api.info()
            return info

    def close(self) -> None:
        """Close the channel to the engine; the SSH connection stays."""
        self.api.close()


def answering(remote: Remote, seconds: float) -> Engine:
    """The engine of a host that has just been started, as soon as it answers.

    Raises DeadlinePassed with the last reason after `seconds`.
    """
    said = ["nothing yet"]

    def attempt() -> Engine | None:
        try:
            return Engine(remote)
        except HostError as error:
            said[0] = error.message
            return None

    return until(attempt, f"dockerd on {remote.name} answers", seconds, 0.1, lambda: said[0])


ENGINE_DOWN = "on that host: is Docker installed and running (`docker info`), and may this user use it?"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
