"""What all evidence of checks has in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from swarmlab.model.check_evidence.fields import made
from swarmlab.model.check_evidence.words import EMPTY, Row, Told, flat, spaced
from swarmlab.model.plain import plain


@dataclass(frozen=True, kw_only=True)
class CheckEvidence:
    """The fields of a subclass are, in their order, the keys of the report. None means "not known", never "no".

    `saved` is what it was read from, where it was read from a saved report: written again, nothing of that is lost.
    `MARK` is a key that tells this shape from the usual one of its kind; `TOLD` are fields that `rows` does not show
    one by one.
    """

    MARK: ClassVar[str] = ""
    TOLD: ClassVar[frozenset[str]] = frozenset()

    saved: Mapping[str, object] | None = field(default=None, repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """As the report has it: plain values only."""
        return self._shown() if self.saved is None else dict(plain(self.saved))

    def _shown(self) -> dict[str, Any]:
        return {name: plain(value) for name, value in vars(self).items() if name != "saved"}

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """From a saved report, which may have been edited: what is missing or odd is as if it had not been measured."""
        return made(cls, data, saved=data)

    def rows(self) -> Iterator[Row]:
        """Label and text for a person: what is told together, then the rest field by field, then controls."""
        given = self.to_json()
        yield from ((label, text) for name, label, text in self._told() if name in given)
        for name, value in given.items():
            if name not in self.TOLD and value not in EMPTY:
                yield spaced(name), flat(value)
        yield from (("control", text) for text in self._control_texts())

    def _told(self) -> Iterable[Told]:
        return ()

    def _control_texts(self) -> Iterable[str]:
        return ()

    @property
    def readable(self) -> str:
        """What anybody between the hosts could read, "" for nothing."""
        return ""

    def counted(self, observed: str) -> Mapping[str, int]:
        """What supports that observation and can be added up over several checks: a noun, and how many."""
        return {}


@dataclass(frozen=True, kw_only=True)
class PlainEvidence(CheckEvidence):
    """Values by name, for kinds that have no shape of their own, and for reports of versions that know more kinds."""

    values: Mapping[str, object]

    def _shown(self) -> dict[str, Any]:
        return dict(plain(self.values))

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """All of it, as it stands."""
        return cls(values=data)


@dataclass(frozen=True, kw_only=True)
class NothingMeasured(CheckEvidence):
    """There was nothing to measure. `asked` is the name that nobody could ask, for kind name."""

    asked: str = field(default="", compare=False)

    def _shown(self) -> dict[str, Any]:
        return {}
