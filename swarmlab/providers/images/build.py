"""Building a node image: on a registry's base image where one answers, from Debian packages with mmdebstrap where none
does.
"""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import subprocess
import tarfile
import tempfile
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import docker
import docker.errors
import requests

from swarmlab.errors import ProviderError
from swarmlab.events import Bus, Phase
from swarmlab.providers.images.recipe import CLEAN, ENTRYPOINT, LEFT_OUT, Recipe, overlay_tar

REGISTRY_PATIENCE = 5  # seconds that a registry has to say whether it has the base image
EXPIRED_VARIABLE = "SWARMLAB_APT_NO_VALID_UNTIL"
NO_VALID_UNTIL = 'Acquire::Check-Valid-Until "false"'
STEPS = (
    "running apt-get update",
    "downloading packages",
    "extracting archives",
    "installing essential",
    "installing remaining",
)


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


def no_valid_until() -> bool:
    """Whether the user said that an archive's expired Release file is to be accepted."""
    return os.environ.get(EXPIRED_VARIABLE) == "1"


def dockerfile(recipe: Recipe) -> str:
    """The recipe for `docker build`."""
    late = f"-o {NO_VALID_UNTIL.split()[0]}=false " if no_valid_until() else ""
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
                _why(f"the node image {recipe.tag}", [*said, str(event["error"])]), fix=_fix("\n".join(said))
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
        phase("handing the root to the engine", len(STEPS) + 1, len(STEPS) + 1)
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
    run_mmdebstrap(command(recipe, files, root), f"the node image {recipe.tag}", work, phase)


def run_mmdebstrap(argv: list[str], what: str, work: Path, phase: Phase) -> None:
    """Run it, telling its steps; ProviderError with its own complaints when it fails."""
    said: deque[str] = deque(maxlen=40)
    # stdin closed and a process group of its own, so that Ctrl-C reaches it once, through us.
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        env=_environment(work),
    ) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                said.append(line.rstrip())
                _progress(line, phase)
            status = process.wait()
        except BaseException:
            process.terminate()
            raise
    if status:
        raise ProviderError(_why(what, list(said)), fix=_fix("\n".join(said)))


def command(recipe: Recipe, files: Path, root: Path) -> list[str]:
    """mmdebstrap's arguments; it is told to end when we do, so that a killed `up` leaves no builder behind."""
    hooks = [f"--customize-hook=chroot \"$1\" sh -c '{CLEAN}'", f"--customize-hook=tar-in {shlex.quote(str(files))} /"]
    return mmdebstrap(recipe.packages, hooks, recipe.suite, str(root))


def mmdebstrap(packages: Sequence[str], hooks: Sequence[str], *target: str) -> list[str]:
    """The arguments for a root with these packages, without documentation and translations."""
    leash = ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
    options = [f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT]
    if no_valid_until():
        options.append(f"--aptopt={NO_VALID_UNTIL}")
    return [*leash, "mmdebstrap", "--variant=minbase", f"--include={','.join(packages)}", *options, *hooks, *target]


def _environment(work: Path) -> dict[str, str]:
    """Root's mmdebstrap works in the lab's own directory; another user's cannot, as its mapped ids may not enter it."""
    return {**os.environ, "TMPDIR": str(work)} if os.geteuid() == 0 else dict(os.environ)


def _progress(line: str, phase: Phase) -> None:
    if line.startswith("I: "):
        text = line[3:].strip().rstrip(".")
        for done, words in enumerate(STEPS, start=1):
            if text.startswith(words):
                phase(text, done, len(STEPS) + 1)


def _why(what: str, said: list[str]) -> str:
    telling = [line for line in said if line.startswith(("E:", "W:"))] or said
    return f"{what} cannot be built:\n" + "\n".join(f"  {line}" for line in telling[-8:])


def _fix(text: str) -> str:
    if "expired" in text or "Valid-Until" in text:
        return f"the archive's Release file is too old; set {EXPIRED_VARIABLE}=1 if you trust this archive all the same"
    return "is Debian's archive reachable (apt update), and is there space left (df)?"
