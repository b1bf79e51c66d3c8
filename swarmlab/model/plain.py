"""Values of Python as values of JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import is_dataclass
from enum import Enum
from types import NoneType
from typing import Any

_PLAIN = frozenset({str, int, bool, NoneType})


def plain(value: object) -> Any:
    """Anything as a JSON value: sets sorted, not-a-number null, dataclasses as their fields, what JSON does not know as
    its text.

    >>> plain({"b", "a"}), plain(float("nan")), plain((1, None))
    (['a', 'b'], None, [1, None])
    """
    if type(value) in _PLAIN:  # nearly all of ten thousand checks
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return plain(value.value)
    if is_dataclass(value):
        return {name: plain(item) for name, item in vars(value).items()}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=str)
    return value if isinstance(value, int | str) else str(value)
