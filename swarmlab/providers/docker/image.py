"""The node image: built on a registry's base image where one answers, from Debian packages where none does."""

from __future__ import annotations

import io
import json
import shlex
import shutil
import tarfile
import tempfile
from collections import deque
from pathlib import Path

import docker
import docker.errors
import requests

from swarmlab.errors import ProviderError
from swarmlab.events import Bus, Phase
from swarmlab.providers.docker.local_engine import asked, engine
from swarmlab.providers.images import mmdebstrap
from swarmlab.providers.images.recipe import CLEAN, ENTRYPOINT, LABEL, Recipe, overlay_tar

REGISTRY_PATIENCE = 5  # seconds that a registry has to say whether it has the base image


def ensure(client: docker.DockerClient, recipe: Recipe, scratch: Path, bus: Bus) -> str:
    """Have the recipe's image on the engine; returns its tag. What is half built lies in `scratch` and is removed."""
    if not _local(client, recipe.tag):
        with bus.phase("image", f"Debian {recipe.suite} with engine {recipe.engine}") as phase:
            if _local(client, recipe.base) or _registry_has(recipe.base):
                bus.info(f"building {recipe.tag} on {recipe.base}")
                _on_base(client, recipe, phase)
            else:
                bus.info(f"no registry gives {recipe.base}: building {recipe.tag} from Debian packages with mmdebstrap")
                _from_packages(client, recipe, scratch, phase)
    return recipe.tag


def _local(client: docker.DockerClient, name: str) -> bool:
    try:
        client.images.get(name)
    except docker.errors.ImageNotFound:
        return False
    return True


def _registry_has(name: str) -> bool:
    """Ask the engine to ask, for a short time only: behind a firewall that drops, a pull would hang for minutes."""
    quick = docker.from_env(timeout=REGISTRY_PATIENCE)
    try:
        quick.api.inspect_distribution(name)  # type: ignore[no-untyped-call]
    except (docker.errors.APIError, requests.RequestException):
        return False
    finally:
        quick.close()
    return True


def dockerfile(recipe: Recipe) -> str:
    """The recipe for `docker build`."""
    late = f"-o {mmdebstrap.NO_VALID_UNTIL.split()[0]}=false " if mmdebstrap.no_valid_until() else ""
    lines = [
        f"FROM {recipe.base}",
        f"RUN apt-get {late}update"
        " && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "
        f"{' '.join(recipe.packages)} && {CLEAN}",
        "ADD overlay.tar /",
        f"ENTRYPOINT {json.dumps(ENTRYPOINT)}",
    ]
    return "\n".join(lines) + "\n"


def _on_base(client: docker.DockerClient, recipe: Recipe, phase: Phase) -> None:
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        for name, data in (("Dockerfile", dockerfile(recipe).encode()), ("overlay.tar", overlay_tar())):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    context.seek(0)
    said: deque[str] = deque(maxlen=12)
    stream = client.api.build(
        fileobj=context, custom_context=True, tag=recipe.tag, labels=recipe.labels, rm=True, forcerm=True, decode=True
    )
    for event in stream:
        if text := str(event.get("stream", "")).strip():
            said.append(text)
            phase(text.splitlines()[-1][:100])
        if "error" in event:
            raise ProviderError(
                mmdebstrap.why(f"the node image {recipe.tag}", [*said, str(event["error"])]),
                fix=mmdebstrap.fix("\n".join(said)),
            )


def _from_packages(client: docker.DockerClient, recipe: Recipe, scratch: Path, phase: Phase) -> None:
    if not shutil.which("mmdebstrap"):
        raise ProviderError(
            f"the node image can be built neither on {recipe.base} (no registry gives it) "
            "nor from packages (no mmdebstrap)",
            fix="apt install mmdebstrap, or let the engine reach a registry",
        )
    with tempfile.TemporaryDirectory(prefix="image-", dir=scratch) as work:
        root = Path(work) / "root.tar"
        _bootstrap(recipe, Path(work), root, phase)
        phase("handing the root to the engine", len(mmdebstrap.STEPS) + 1, len(mmdebstrap.STEPS) + 1)
        repository, tag = recipe.tag.split(":")
        changes = [
            f"ENTRYPOINT {json.dumps(ENTRYPOINT)}",
            *(f'LABEL {key}="{value}"' for key, value in recipe.labels.items()),
        ]
        answer = client.api.import_image_from_file(str(root), repository=repository, tag=tag, changes=changes)
    if not _local(client, recipe.tag):
        raise ProviderError(
            f"the engine did not take the root of {recipe.tag}: {answer[-300:]}", fix="is its disk full? (df)"
        )


def _bootstrap(recipe: Recipe, work: Path, root: Path, phase: Phase) -> None:
    files = work / "overlay.tar"
    files.write_bytes(overlay_tar())
    mmdebstrap.run(command(recipe, files, root), f"the node image {recipe.tag}", work, phase)


def command(recipe: Recipe, files: Path, root: Path) -> list[str]:
    """mmdebstrap's arguments; it is told to end when we do, so that a killed `up` leaves no builder behind."""
    hooks = [f"--customize-hook=chroot \"$1\" sh -c '{CLEAN}'", f"--customize-hook=tar-in {shlex.quote(str(files))} /"]
    return mmdebstrap.arguments(recipe.packages, hooks, recipe.suite, str(root))


def busybox() -> bytes | None:
    """The busybox of a node image that this machine's engine has; None when it has none."""
    with asked("give the busybox of a node image"):
        client = engine()
        for image in client.images.list(filters={"label": f"{LABEL}=node"}):
            made = client.containers.create(image, labels={LABEL: "scratch"})
            try:
                stream, _ = made.get_archive("/bin/busybox")
                with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as tar:
                    member = tar.extractfile("busybox")
                    return member.read() if member else None
            except docker.errors.NotFound:
                continue
            finally:
                made.remove(force=True)
    return None
