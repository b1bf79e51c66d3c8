"""Images that hosts lack are carried there over SSH, so that no host needs a registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound

from swarmlab.engine.client import Engine
from swarmlab.errors import StackFailed
from swarmlab.events import Phase
from swarmlab.remote import fan_out

Source = Callable[[], Iterator[bytes]]


def ensure(
    engines: Mapping[str, Engine], images: tuple[str, ...], builders: Mapping[str, Callable[[], bytes]], phase: Phase
) -> None:
    """Carry each image to the hosts that lack it.

    `builders` make some images from nothing; the others come from the local engine or its registry. Raises StackFailed
    for one that is nowhere to be had.
    """
    missing = fan_out(engines, lambda engine: [image for image in images if not _has(engine, image)])
    for image in sorted({i for lacking in missing.values() for i in lacking}):
        hosts = {name: engines[name] for name, lacking in missing.items() if image in lacking}
        phase(f"{image} to {len(hosts)} hosts", 0, len(hosts))
        source = _built(builders[image]) if image in builders else _local(image)
        fan_out(hosts, partial(_load, image=image, source=source))
        phase(f"{image} to {len(hosts)} hosts", len(hosts), len(hosts))


def _has(engine: Engine, image: str) -> bool:
    with engine.errors(f"look for image {image}"):
        try:
            engine.api.inspect_image(image)
        except ImageNotFound:
            return False
        return True


def _short(error: Exception) -> str:
    return " ".join(str(getattr(error, "explanation", None) or error).split())[:300]


def _load(engine: Engine, image: str, source: Source) -> None:
    with engine.errors(f"load image {image}"):
        for line in engine.api.load_image(source(), quiet=True):
            if "error" in line:
                raise StackFailed(f"{engine.name}: image {image} cannot be loaded: {line['error']}")


def _built(builder: Callable[[], bytes]) -> Source:
    archive = builder()
    return lambda: iter([archive[i : i + 65536] for i in range(0, len(archive), 65536)])


def _local(image: str) -> Source:
    """The image out of this machine's own engine, which pulls it if need be."""
    try:
        api: Any = docker.from_env(version="auto").api
        try:
            api.inspect_image(image)
        except ImageNotFound:
            api.pull(image)
        return lambda: iter(api.get_image(image))
    except (APIError, DockerException) as error:
        raise StackFailed(
            f"image {image} is on no host, and the local engine has it neither and cannot pull it: {_short(error)}",
            fix=f"build or pull it (`docker pull {image}`), or use --stand-in: a small idle image that keeps the "
            "networks as they are",
        ) from error
