"""Every message of the protocol, and values of each made from the types and bounds of its fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from hypothesis import reject
from hypothesis import strategies as st

from swarmlab.agent.protocol import bounds, mtu, probing, wire
from swarmlab.agent.protocol.codec import CHECK, MISFITS
from swarmlab.agent.protocol.message import Request
from swarmlab.agent.protocol.readers import Misfit

REQUESTS: list[type[Request[Any]]] = [
    kind
    for room in (probing, mtu, wire)
    for kind in vars(room).values()
    if isinstance(kind, type) and issubclass(kind, Request) and kind is not Request
]
ANSWERS = sorted({kind.answer for kind in REQUESTS}, key=lambda kind: str(kind.__name__))
FITTING = (
    "tcp", "udp", "icmp", "10.0.0.1", "fd00::1", "10.0.1.3/24", "fd00::1/64", "0011223344556677", "/run/netns/n0", "",
    "02:42:0a:00:01:03", "swlb00112233",
)  # fmt: skip
CANARIES = {"c1": "swlb00112233" + "a1" * 8}


def values(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Instances of a message class that the other side must take."""
    hints = get_type_hints(kind, include_extras=True)
    parts = {f.name: of(hints[f.name]) for f in fields(kind) if f.name != MISFITS}
    if kind is wire.WireStart:
        parts |= {"tag": st.just("swlb00112233"), "canaries": st.sampled_from([{}, CANARIES])}

    def made(given: dict[str, Any]) -> Any:
        message = kind(**given)
        try:
            getattr(message, CHECK, lambda: None)()
        except Misfit:
            reject()
        return message

    return st.fixed_dictionaries(parts).map(made)


def of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of one field's type."""
    kind, *extras = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Union:
        return st.none() | of(arguments[0])
    if origin is tuple:
        distinct = next((extra.distinct for extra in extras if isinstance(extra, bounds.AtMost)), "")
        unique = (lambda entry: getattr(entry, distinct)) if distinct else None
        return st.lists(of(arguments[0]), max_size=3, unique_by=unique).map(tuple)
    if origin is frozenset:
        return st.frozensets(of(arguments[0]), max_size=3)
    if origin is Mapping:
        return st.dictionaries(st.text(max_size=9), of(arguments[1]), max_size=3)
    if is_dataclass(kind):
        return values(kind)  # type: ignore[arg-type]
    return scalars(kind, extras)


def scalars(kind: Any, extras: list[Any]) -> st.SearchStrategy[Any]:
    """Numbers in their range, texts in their form."""
    between = next((extra for extra in extras if isinstance(extra, bounds.Between)), bounds.INTEGER)
    form = next((extra for extra in extras if isinstance(extra, bounds.Form)), None)
    if form is not None:
        return st.sampled_from([text for text in FITTING if form.usual(text) == text])
    return {
        bool: st.booleans(),
        int: st.integers(int(between.low), int(between.high)),
        float: st.floats(max(between.low, -1e12), min(between.high, 1e12)),
        bytes: st.binary(max_size=40),
        str: st.text(max_size=40),
    }[kind]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([*FITTING, "x" * 999]) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=20,
)
