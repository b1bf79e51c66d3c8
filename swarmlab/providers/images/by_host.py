"""`VALUE` or `HOST=VALUE,…`, as `--engine` and `--kernel` take it: which host gets what."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from swarmlab.errors import UsageError
from swarmlab.model.host import numbered


@dataclass(frozen=True)
class Choice:
    """What can differ by host: its `word` is its flag without the dashes, `known` are the values, `examples` are two of
    them, for a message.
    """

    word: str
    known: Collection[str]
    examples: tuple[str, str]

    def checked(self, value: str) -> str:
        """The value itself, if it is one; raises UsageError."""
        if value not in self.known:
            raise UsageError(f"there is no {self.word} `{value}`", fix=f"use one of {', '.join(self.known)}")
        return value

    def by_host(self, wanted: str, defaults: Mapping[str, str]) -> dict[str, str]:
        """The value of each host that `defaults` names. Raises UsageError."""
        entries = [entry.strip() for entry in wanted.split(",") if entry.strip()]
        pairs = [entry.split("=", 1) for entry in entries if "=" in entry]
        named = {host.strip(): value.strip() for host, value in pairs}
        general = [entry for entry in entries if "=" not in entry]
        self._refuse(wanted, len(pairs) - len(named), general, sorted(set(named) - set(defaults)), list(defaults))
        for value in (*named.values(), *general):
            self.checked(value)
        return {host: named.get(host, general[0] if general else default) for host, default in defaults.items()}

    def _refuse(
        self, wanted: str, twice: int, general: Sequence[str], strangers: Sequence[str], hosts: Sequence[str]
    ) -> None:
        names = [*hosts, *numbered(2)[len(hosts) :]]
        example = ",".join(f"{host}={value}" for host, value in zip(names, self.examples, strict=False))
        if twice:
            raise UsageError(
                f"--{self.word} `{wanted}` names one host twice", fix=f"give each host one {self.word}: {example}"
            )
        if len(general) > 1:
            raise UsageError(
                f"--{self.word} `{wanted}` names {len(general)} {self.word}s for the same hosts",
                fix=f"write {example}",
            )
        if strangers:
            raise UsageError(f"--{self.word} names {', '.join(strangers)}, but the hosts are {', '.join(hosts)}")
