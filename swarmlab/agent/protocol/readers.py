"""Readers of JSON values, one for each type of field. What does not fit raises `Misfit`.

With a tally the reading is lenient, as `codec` describes: lists and objects leave out entries that do not fit.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional

from swarmlab.agent.protocol.bounds import TEXT, AtMost, Between, Form, Length


class Misfit(ValueError):
    """Something does not fit; the text names the field and what was expected."""


@dataclass
class Tally:
    """How much was left out of an answer, or replaced by "not known"."""

    count: int = 0


Reader = Callable[[Any, Optional[Tally]], Any]  # noqa: UP045  without a tally: strict


def shown(value: object) -> str:
    """A value in a complaint."""
    return type(value).__name__ if isinstance(value, (list, dict)) else repr(str(value)[:40])


def optional(read: Reader) -> Reader:
    """null, or what `read` takes."""
    return lambda value, tally: None if value is None else read(value, tally)


def flag(value: Any, _tally: Tally | None) -> Any:
    """True or false, no other word for it."""
    if value is True or value is False:
        return value
    raise Misfit(f"expected true or false, got {shown(value)}")


def integer(bound: Between) -> Reader:
    """A whole number in a range."""
    low, high = bound

    def read(value: Any, _tally: Tally | None) -> Any:
        if type(value) is int and low <= value <= high:
            return value
        raise Misfit(f"expected a number from {low} to {high}, got {shown(value)}")

    return read


def number(bound: Between) -> Reader:
    """A number in a range; that of NaN, which Python's JSON knows, is none."""
    low, high = bound

    def read(value: Any, _tally: Tally | None) -> Any:
        if type(value) in (float, int) and low <= value <= high:
            return float(value)
        raise Misfit(f"expected a number from {low:g} to {high:g}, got {shown(value)}")

    return read


def text(bound: Length) -> Reader:
    """A string. Leniently, one that is too long is cut."""
    most = bound.most

    def read(value: Any, tally: Tally | None) -> Any:
        if type(value) is str:
            if len(value) <= most:
                return value
            if tally is not None:
                return value[:most]
        raise Misfit(f"expected a string of at most {most} characters, got {shown(value)}")

    return read


def formed(bound: Length, form: Form) -> Reader:
    """A string of a certain form, in its usual spelling."""
    usual, most = form.usual, bound.most

    def read(value: Any, _tally: Tally | None) -> Any:
        if type(value) is not str or len(value) > most:
            raise Misfit(f"expected a string of at most {most} characters, got {shown(value)}")
        found = usual(value)
        if found is None:
            raise Misfit(form.complaint.format(value[:40]))
        return found

    return read


def binary(bound: Length) -> Reader:
    """Bytes, in base64."""
    longest = (bound.most + 2) // 3 * 4

    def read(value: Any, _tally: Tally | None) -> Any:
        try:
            if type(value) is str and len(value) <= longest:
                return base64.b64decode(value, validate=True)
        except ValueError:
            raise Misfit("expected base64") from None
        raise Misfit(f"expected at most {bound.most} bytes in base64, got {shown(value)}")

    return read


def entries(make: Callable[[list[Any]], Any], read: Reader, bound: AtMost) -> Reader:
    """A list, as a tuple or a set."""

    def read_all(value: Any, tally: Tally | None) -> Any:
        if type(value) is not list or (len(value) > bound.most and tally is None):
            raise Misfit(f"expected a list of at most {bound.most} {bound.what}, got {shown(value)}")
        if tally is not None:
            return make(fitting(value, tally))
        found = [read(entry, None) for entry in value]
        if bound.distinct and len({getattr(entry, bound.distinct) for entry in found}) != len(found):
            raise Misfit(f"an {bound.distinct} occurs twice")
        return make(found)

    def fitting(value: list[Any], tally: Tally) -> list[Any]:
        found = []
        for entry in value[: bound.most]:
            try:
                found.append(read(entry, tally))
            except Misfit:
                continue
        tally.count += len(value) - len(found)
        return found

    return read_all


def mapping(read: Reader, bound: AtMost) -> Reader:
    """An object whose keys are not fields, but names of something."""

    def read_all(value: Any, tally: Tally | None) -> Any:
        if type(value) is not dict or (len(value) > bound.most and tally is None):
            raise Misfit(f"expected an object of at most {bound.most} {bound.what}, got {shown(value)}")
        found = {}
        for key, entry in list(value.items())[: bound.most]:
            try:
                if len(key) > TEXT.most:
                    raise Misfit(f"expected names of at most {TEXT.most} characters")
                found[key] = read(entry, tally)
            except Misfit:
                if tally is None:
                    raise
        if tally is not None:
            tally.count += len(value) - len(found)
        return found

    return read_all
