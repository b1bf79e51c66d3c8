"""Dataclasses to JSON and back, by the types of their fields and the bounds beside them.

Requests are decoded strictly: what does not fit raises `Misfit`, which names the field. Answers come from hosts that
may lie, so they are decoded with `strict=False`, by two rules. A field that is missing or does not fit takes its
default, which means "not known"; a text that is only too long is cut. An entry of a list or an object is left out when
it does not fit, or lacks a field that has no default. How often that happened is told in the answer's field `misfits`,
where it has one.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from swarmlab.agent.protocol import bounds, readers
from swarmlab.agent.protocol.readers import Misfit, Reader, Tally

T = TypeVar("T")
Default = Callable[[], Any]
MISFITS = "misfits"  # the field that is never sent
CHECK = "check"  # the method that looks at fields together, and raises Misfit; only what is decoded strictly is checked


def encode(value: object) -> dict[str, Any]:
    """A dataclass as what `json.dumps(…, default=plain)` writes; what is inside is turned into JSON when it is met."""
    return {name: inner for name, inner in vars(value).items() if name != MISFITS}


def plain(value: Any) -> object:
    """What JSON has no word for: dataclasses, sets, bytes."""
    if is_dataclass(value):
        return value.__dict__
    return sorted(value) if isinstance(value, frozenset) else base64.b64encode(value).decode("ascii")


def decode(kind: type[T], value: object, *, strict: bool = True) -> T:
    """A JSON object as a dataclass. Raises Misfit when strict, else only for what is no object."""
    tally = None if strict else Tally()
    made: T = reader(kind)(value, tally)
    if tally is not None and hasattr(kind, MISFITS):
        vars(made)[MISFITS] = tally.count
    return made


def reader(hint: Any) -> Reader:
    """The reader of a field's type. Bounds come as annotations of the type; without, each type has its own."""
    kind, *extras = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Union:
        return readers.optional(reader(next(a for a in arguments if a is not type(None))))
    if origin in (tuple, frozenset):
        return readers.entries(origin, reader(arguments[0]), _bound(extras, bounds.ENTRIES))
    if origin is Mapping:
        return readers.mapping(reader(arguments[1]), _bound(extras, bounds.ENTRIES))
    if isinstance(kind, type) and is_dataclass(kind):
        return _record(kind)
    return _scalar(kind, extras)


def _scalar(kind: Any, extras: list[Any]) -> Reader:
    if kind is bool:
        return readers.flag
    if kind is int:
        return readers.integer(_bound(extras, bounds.INTEGER))
    if kind is float:
        return readers.number(_bound(extras, bounds.NUMBER))
    if kind is bytes:
        return readers.binary(_bound(extras, bounds.TEXT))
    if kind is str:
        form = next((extra for extra in extras if isinstance(extra, bounds.Form)), None)
        return readers.formed(_bound(extras, bounds.TEXT), form) if form else readers.text(_bound(extras, bounds.TEXT))
    raise TypeError(f"no reader for {kind}")


def _bound(extras: list[Any], default: T) -> T:
    """The bound of the same kind as `default`."""
    return next((extra for extra in extras if isinstance(extra, type(default))), default)


@functools.cache
def _record(kind: type[Any]) -> Reader:
    hints = get_type_hints(kind, include_extras=True)
    plan = [(f.name, reader(hints[f.name]), _default(f)) for f in fields(kind) if f.name != MISFITS]
    names = frozenset(name for name, _, _ in plan)
    check = getattr(kind, CHECK, None)

    def read(value: Any, tally: Tally | None) -> Any:
        if type(value) is not dict:
            raise Misfit(f"expected an object, got {readers.shown(value)}")
        made = object.__new__(kind)
        found = made.__dict__  # as __init__ would, in a fifth of the time: there are many thousands of them
        for name, read_field, default in plan:
            try:
                found[name] = read_field(value[name], tally)
            except (KeyError, Misfit) as error:
                found[name] = _instead(name, read_field, default, error, tally)
        if tally is None:
            if not value.keys() <= names:
                unknown = readers.shown(min(value.keys() - names))
                raise Misfit(f"unknown field {unknown}: expected {', '.join(sorted(names))}")
            if check is not None:
                check(made)
        return made

    return read


def _default(field: Field[Any]) -> Default | None:
    if field.default_factory is not MISSING:
        return field.default_factory
    return None if field.default is MISSING else lambda: field.default


def _instead(name: str, read: Reader, default: Default | None, error: Exception, tally: Tally | None) -> Any:
    """The default of a field that is missing or does not fit; raises Misfit where that may not be."""
    if isinstance(error, KeyError) and default is None:
        try:
            return read(None, tally)
        except Misfit as missing:
            error = missing
    if default is None or (tally is None and isinstance(error, Misfit)):
        raise Misfit(f"{name}: {error}") from None
    if tally is not None:
        tally.count += 1
    return default()
