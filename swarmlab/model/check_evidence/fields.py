"""A dataclass from JSON that somebody may have edited: what is missing or odd becomes "nothing", and is no error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

NOTHING: Mapping[type, object] = {str: "", int: 0, float: 0.0, bool: False}
Made = TypeVar("Made")
Reader = Callable[[object], Any]


def made(cls: Callable[..., Made], data: Mapping[str, object], **more: object) -> Made:
    """One of `cls`, with the fields that `data` has of the right types; `more` are fields that do not come from it."""
    found = {name: read(data.get(name)) for name, read in _readers(cls).items() if name not in more}
    return cls(**found, **more)


@cache
def _readers(cls: Callable[..., object]) -> dict[str, Reader]:
    hints = get_type_hints(cls)
    return {field.name: reader(hints[field.name]) for field in fields(cls)}  # type: ignore[arg-type]


def reader(hint: Any) -> Reader:
    """What gives a value if it has that type, else that type's nothing.

    >>> reader(str)("a"), reader(str)(3), reader(bool | None)(True), reader(bool | None)("yes"), reader(int)(True)
    ('a', '', True, None, 0)
    >>> reader(tuple[str, ...])(["a"]), reader(tuple[str, ...])(3), reader(Mapping[str, int])({"a": 1})
    (('a',), (), {'a': 1})
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda value: made(hint, value if isinstance(value, dict) else {})
    if origin is tuple:
        item = reader(arguments[0])
        return lambda value: tuple(map(item, value)) if isinstance(value, list | tuple) else ()
    if origin is Mapping:
        item = reader(arguments[1])
        return lambda value: {str(k): item(v) for k, v in value.items()} if isinstance(value, dict) else {}
    if NoneType in arguments:
        return _scalar(next(argument for argument in arguments if argument is not NoneType), None)
    return _scalar(hint, NOTHING.get(hint))


def _scalar(kind: type, nothing: object) -> Reader:
    kinds = {float, int} if kind is float else {kind}
    return lambda value: value if type(value) in kinds else nothing
