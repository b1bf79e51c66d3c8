"""What is remembered of a lab between two commands: enough to verify, enter and remove it without the scenario file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from swarmlab import scenario as scenarios
from swarmlab.errors import LabUnknown, ProviderError
from swarmlab.lab import home
from swarmlab.lab.options import LAB_NAME
from swarmlab.model.host import OUTSIDE, Host, SshEndpoint
from swarmlab.model.scenario import Scenario

SCHEMA = "swarmlab.lab/1"


@dataclass(frozen=True)
class LabState:
    """One lab. `hosts` is empty until the provider has made them; `file` is our own copy of the scenario."""

    lab: str
    scenario: str
    provider: str
    file: str
    host_count: int
    managers: int
    engine: str = ""
    kernel: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    stand_in: bool = False
    started: str = ""
    built: bool = False
    hosts: tuple[Host, ...] = ()
    # The external client on the underlay that is not in the Swarm, where the scenario needs one.
    outside: Host | None = None

    @property
    def directory(self) -> Path:
        """Where its keys, its copy of the scenario and its last report are."""
        return home.lab_directory(self.lab)

    @property
    def machines(self) -> tuple[Host, ...]:
        """All that can be entered."""
        return (*self.hosts, *([self.outside] if self.outside else []))

    def with_machines(self, made: Sequence[Host]) -> LabState:
        """With what the provider has made, Swarm hosts and the external client told apart."""
        outside = next((host for host in made if host.name == OUTSIDE), None)
        return replace(self, hosts=tuple(host for host in made if host.name != OUTSIDE), outside=outside)

    def read_scenario(self) -> Scenario:
        """The scenario as it was deployed, from our own copy."""
        read = scenarios.read(Path(self.file), self.settings, stand_in=self.stand_in)
        read = replace(read, name=self.scenario, hosts=self.host_count, managers=self.managers)
        return read.on([host.name for host in self.hosts])


def save(state: LabState) -> None:
    """Write it, atomically."""
    plain = {"schema": SCHEMA, **asdict(state)}
    home.write(state.directory / "lab.json", json.dumps(plain, indent=1, default=str))


def load(lab: str) -> LabState | None:
    """The lab's state, or None. Raises ProviderError when the file is damaged."""
    path = home.lab_directory(lab) / "lab.json"
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        plain.pop("schema")
        hosts = tuple(_host(h) for h in plain.pop("hosts"))
        outside = _host(apart) if (apart := plain.pop("outside", None)) else None
        return LabState(**plain, hosts=hosts, outside=outside)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProviderError(
            f"{path}: damaged ({error})", fix=f"`swarmlab down {lab}` removes the lab without reading this file"
        ) from error


def _host(plain: dict[str, object]) -> Host:
    ssh = plain["ssh"]
    if not isinstance(ssh, dict):
        raise TypeError("ssh is not a mapping")
    identity = Path(ssh["identity"]) if ssh["identity"] else None
    endpoint = SshEndpoint(ssh["address"], ssh["port"], ssh["user"], identity, Path(ssh["known_hosts"]))
    return Host(str(plain["name"]), str(plain["address"]), endpoint)


def require(lab: str | None) -> LabState:
    """The named lab; or the only one there is. Raises LabUnknown that lists the labs."""
    known = home.names()
    if lab is None:
        if len(known) == 1:
            return require(known[0])
        text = f"which lab? there are {len(known)}: {', '.join(known)}" if known else "there is no lab"
        raise LabUnknown(text, fix="name one" if known else "`swarmlab up three-tier` builds one")
    state = load(lab) if lab in known else None
    if state is None:
        builds = f"`swarmlab up SCENARIO --name {lab}` builds it"
        fix = builds if LAB_NAME.fullmatch(lab) else "no lab can have that name"
        raise LabUnknown(f"there is no lab {lab[:60]!r}; labs: {', '.join(known) or 'none'}", fix=fix)
    return state


def keep_scenario(lab: str, file: Path) -> Path:
    """Copy the scenario file into the lab, so that `verify` and `down` never need the original."""
    copy = home.lab_directory(lab) / "scenario" / file.name
    home.write(copy, file.read_text(encoding="utf-8"))
    return copy
