"""Requests and answers as lines. Each request is a class that knows its operation and the class of its answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, TypeVar, get_args

from swarmlab.agent.protocol.bounds import MAX_VALUES, Length
from swarmlab.agent.protocol.codec import decode, encode, plain
from swarmlab.agent.protocol.readers import Misfit

VERSION = 2
ERROR = "error"  # the `op` of an answer that says why there is no other

A = TypeVar("A")


class Request(Generic[A]):
    """What the program asks. `class Fire(Request[FireAnswer], op="fire")` is answered by a FireAnswer."""

    op: ClassVar[str]
    answer: ClassVar[type[Any]]

    def __init_subclass__(cls, op: str) -> None:
        cls.op = op
        (cls.answer,) = get_args(cls.__orig_bases__[0])  # type: ignore[attr-defined]

    def line(self) -> bytes:
        """The request as it is sent."""
        return pack(self.op, self)

    def read(self, told: object) -> A:
        """What a host told in answer: anything odd is "not known". Raises Misfit for what is no object."""
        found: A = decode(self.answer, told, strict=False)
        return found


@dataclass(frozen=True)
class ErrorAnswer:
    """Why a request was not done."""

    text: Annotated[str, Length(500)] = "no reason given"


class Refused(Exception):
    """The agent cannot do what was asked; the text goes back to the program."""


def pack(op: str, body: object) -> bytes:
    """A message as one line."""
    return (
        json.dumps({"op": op, **encode(body)}, default=plain, check_circular=False, separators=(",", ":")).encode()
        + b"\n"
    )


def unpack(line: bytes) -> object:
    """The JSON value of a line. Raises Misfit."""
    if line.count(b",") + line.count(b"[") + line.count(b"{") > MAX_VALUES:
        raise Misfit(f"more than {MAX_VALUES} values")
    try:
        found: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Misfit(f"not JSON: {error}") from None
    return found
