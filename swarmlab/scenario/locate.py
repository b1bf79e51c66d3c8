"""Finds the file that a user means, and lists the scenarios that have a name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from swarmlab.errors import FileRejected, UsageError
from swarmlab.scenario.complaints import listed, printable, quoted, unknown

FILES = (
    "compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml", "docker-stack.yaml", "docker-stack.yml",
    "compose.yaml.j2", "compose.yml.j2",
)  # fmt: skip
ENDINGS = (".yaml", ".yml", ".j2")
PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Summary:
    """One line of `swarmlab list`; `error` is why the file cannot be used, "" if it can."""

    name: str
    file: Path
    title: str = ""
    level: str = ""
    hosts: int = 0
    error: str = ""


def shipped(package: Path) -> Path:
    """The directory of the scenarios that come with `package`: inside of it once installed, beside it in a checkout."""
    installed = package / "scenarios"
    return installed if installed.is_dir() else package.parent / "scenarios"


def _homes() -> list[Path]:
    """Where named scenarios live: below the current directory, then where the shipped ones are."""
    places = [Path.cwd() / "scenarios", shipped(PACKAGE)]
    return list(dict.fromkeys(place.resolve() for place in places if place.is_dir()))


def known() -> dict[str, Path]:
    """Names -> files; the current directory's come before those that are shipped."""
    found: dict[str, Path] = {}
    for home in _homes():
        for directory in sorted(home.iterdir()):
            file = _in_directory(directory) if directory.is_dir() else None
            if file is not None:
                found.setdefault(directory.name, file)
    return found


def _in_directory(directory: Path) -> Path | None:
    return next((directory / name for name in FILES if (directory / name).is_file()), None)


def find(reference: str) -> Path:
    """The file meant by a scenario's name, a directory or a path.

    UsageError for anything else; it lists the scenarios there are.
    """
    names = known()
    if reference in names:
        return names[reference]
    if not reference or "\0" in reference or len(reference) > 4000:
        fix = f"give one of: {listed(names)}, a directory, or a Compose file"
        raise UsageError(f"{quoted(reference)} is not the name of a scenario", fix=fix)
    try:
        return _path(Path(reference), names)
    except OSError as error:
        raise UsageError(
            f"{quoted(reference)}: {error.strerror}", fix="give a scenario's name, a directory, or a Compose file"
        ) from None


def _path(path: Path, names: dict[str, Path]) -> Path:
    if path.is_dir():
        file = _in_directory(path)
        if file is None:
            raise UsageError(
                f"{printable(str(path))}: no Compose file in this directory", fix=f"name it one of: {', '.join(FILES)}"
            )
        return file
    if path.exists():
        return path
    if path.suffix in ENDINGS or "/" in str(path):
        fix = f"give a Compose file, a directory with one, or one of: {listed(names)}"
        raise UsageError(f"{printable(str(path))}: no such file", fix=fix)
    raise UsageError(
        unknown("scenario", str(path), names), fix="give one of these names, a directory, or a Compose file"
    )


def catalogue() -> list[Summary]:
    """All named scenarios, sorted; a broken one is listed with its error."""
    return [_summary(name, file) for name, file in sorted(known().items())]


def _summary(name: str, file: Path) -> Summary:
    from swarmlab.scenario.reader import read

    try:
        scenario = read(file, {})
    except FileRejected as error:
        return Summary(name, file, error=error.message)
    return Summary(name, file, scenario.title, scenario.level, scenario.hosts)
