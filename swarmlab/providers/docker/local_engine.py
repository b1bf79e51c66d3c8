"""The engine on this machine: reaching it, and its errors in our words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import docker
import docker.errors
import requests

from swarmlab.errors import ProviderError, SwarmlabError
from swarmlab.providers.base import Problem

PATIENCE = 300  # seconds for one answer: handing over an image, or removing a full disk, takes its time
NO_ENGINE = (
    "start Docker (`systemctl start docker`, or Docker Desktop), "
    "or set DOCKER_HOST to an engine's socket that you may use"
)
NOT_ALLOWED = "be root, or have root add you to the group that may use it (`usermod -aG docker USER`), and log in again"


def engine() -> docker.DockerClient:
    """A client for the engine that DOCKER_HOST names; ProviderError when none answers."""
    try:
        return docker.from_env(timeout=PATIENCE)
    except (docker.errors.DockerException, requests.RequestException) as error:
        where = os.environ.get("DOCKER_HOST", "the local socket")
        fix = NOT_ALLOWED if "Permission denied" in _short(error) else NO_ENGINE
        raise ProviderError(f"no Docker Engine answers on {where}: {_short(error)}", fix=fix) from error


@contextmanager
def asked(what: str, fix: str = "") -> Iterator[None]:
    """Raise ProviderError, saying what the engine was asked for, in place of the SDK's exceptions."""
    try:
        yield
    except SwarmlabError:
        raise
    except docker.errors.APIError as error:
        raise ProviderError(f"the engine cannot {what}: {error.explanation or _short(error)}", fix=fix) from error
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise ProviderError(
            f"the engine did not answer when asked to {what}: {_short(error)}", fix=NO_ENGINE
        ) from error


def problems() -> list[Problem]:
    """Why container hosts cannot work on this engine; [] when they can."""
    try:
        client = engine()
    except ProviderError as error:
        return [Problem(error.message, error.fix)]
    with asked("describe itself"):
        info = client.info()
        remote = not client.api.base_url.startswith(
            ("http+docker://", "http://localhost", "http://127.", "https://127.", "https://localhost")
        )
    client.close()
    return [*_remote(remote), *_kind(info)]


def _remote(remote: bool) -> list[Problem]:
    text = "the engine is on another machine: hosts are reached over ports published on its loopback"
    return [Problem(text, "run swarmlab there, or unset DOCKER_HOST")] if remote else []


def _kind(info: dict[str, object]) -> list[Problem]:
    options = [str(option) for option in info.get("SecurityOptions") or []]  # type: ignore[attr-defined]
    found = []
    if info.get("OSType") != "linux":
        found.append(
            Problem(
                f"the engine runs {info.get('OSType')} containers, hosts need Linux",
                "switch the engine to Linux containers",
            )
        )
    for option, word in (("name=rootless", "rootless"), ("name=userns", "with mapped user ids")):
        if any(entry.startswith(option) for entry in options):
            found.append(
                Problem(
                    f"the engine runs {word}: an engine inside a container of it may not mount", "use a rootful engine"
                )
            )
    return found


def _short(error: BaseException) -> str:
    """The innermost reason; requests and urllib3 wrap it in several layers."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error)[:300] or type(error).__name__
