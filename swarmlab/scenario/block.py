"""The `x-swarmlab` block: its shape (pydantic), its JSON Schema, and pydantic's complaints as places in the file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from swarmlab.scenario.complaints import Complaints, printable, quoted, unknown
from swarmlab.scenario.names import DNS_NAME, LABEL, MAX_HOSTS, STAND_IN_IMAGE
from swarmlab.scenario.tree import Items, Node, Scalar, Table, describe, is_null, mapped, value

Answer = Literal["allow", "deny"]
Name = Annotated[str, Field(pattern=LABEL)]
AskedName = Annotated[str, Field(pattern=DNS_NAME)]
HostName = Annotated[str, Field(pattern=r"^host[1-9][0-9]?$", description="host1, host2, … up to the number of hosts")]
Because = Annotated[str, Field(min_length=1, description="Why this is expected; shown beside the verdict")]


class Strict(BaseModel):
    """Unknown keys are errors; a number where text is wanted is that number as text."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True, frozen=True)


class LocalNetworkSpec(Strict):
    """A network made by itself on each of some hosts: the same name, yet one network per host."""

    hosts: list[HostName] = Field(default=[], description="Where it is made; all hosts if left out")
    driver: Name = Field(default="bridge", description="Driver of scope local")
    subnet: str = Field(default="", description="Such as 172.30.0.0/24; the same one on each host if you like")
    internal: bool = Field(default=False, description="No way out of the host")


class AttachmentSpec(Strict):
    """How a standalone container is attached to a network."""

    address: str = Field(default="", description="A fixed address there; the engine chooses one if left out")


class ContainerSpec(Strict):
    """A standalone container (`docker run`), pinned to a host."""

    host: HostName
    image: str = Field(default=STAND_IN_IMAGE, min_length=1)
    command: list[str] = Field(default=[], description="Text is one command for the container's own `sh -c`")
    networks: dict[str, AttachmentSpec | None] = Field(
        min_length=1,
        description="Networks under local_networks, or attachable overlays of the stack; a list of names will do",
    )

    @field_validator("command", mode="before")
    @classmethod
    def _one_line(cls, given: object) -> object:
        return ["sh", "-c", given] if isinstance(given, str) else given

    @field_validator("networks", mode="before")
    @classmethod
    def _listed(cls, given: object) -> object:
        return {str(name): None for name in given} if isinstance(given, list) else given


class PairSpec(Strict):
    """What should hold from one service or container to another: exactly one of reach, name, vip and scope."""

    source: str = Field(
        alias="from",
        min_length=1,
        description="The service or container that asks; `outside` is a machine that is not in the Swarm",
    )
    target: str = Field(alias="to", min_length=1, description="The service or container that is asked")
    reach: Answer | None = Field(default=None, description="Whether packets get there")
    name: Answer | None = Field(default=None, description="Whether its name resolves there")
    vip: Answer | None = Field(default=None, description="Whether its virtual address answers there")
    scope: Answer | None = Field(
        default=None, description="Whether node-local networks of one name on two hosts carry traffic"
    )
    network: str = Field(default="", description="Only on this network's addresses; on all if left out")
    protocol: Literal["", "tcp", "udp", "icmp"] = Field(default="", description="Only this one; all if left out")
    port: int = Field(default=0, ge=0, le=65535, description="An application's port, tried besides the lab's own")
    asked: AskedName = Field(
        default="", alias="as", description="With name: the exact name to ask for, such as an alias"
    )
    because: Because

    @model_validator(mode="after")
    def _one_kind(self) -> PairSpec:
        kinds = [kind for kind in ("reach", "name", "vip", "scope") if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError(f"expected exactly one of reach, name, vip, scope; found {' and '.join(kinds) or 'none'}")
        only = {
            "protocol": ("reach", "vip", "scope"),
            "port": ("reach",),
            "asked": ("name",),
            "network": ("reach", "vip", "scope"),
        }
        for key, fits in only.items():
            if getattr(self, key) and kinds[0] not in fits:
                raise ValueError(f"`{'as' if key == 'asked' else key}` goes with {' or '.join(fits)} only")
        if self.port and self.protocol == "icmp":
            raise ValueError("ICMP has no ports")
        if self.scope and not self.network:
            raise ValueError("`scope` needs the `network:` that is meant")
        return self


class NetworkSpec(Strict):
    """What the engines should say about a network."""

    network: str = Field(min_length=1, description="A network of the stack")
    driver: str | None = None
    scope: Literal["swarm", "local", "global"] | None = None
    internal: bool | None = None
    attachable: bool | None = None
    encrypted: bool | None = Field(
        default=None, description="Whether it has the option `encrypted`, whatever its value"
    )
    subnet: str | None = None
    mtu: Literal["fits", "ignore"] | None = Field(
        default=None, description="Whether full-size packets must pass between its hosts in one piece"
    )
    wire: Literal["encrypted", "clear"] | None = Field(default=None, description="What can be read of it between hosts")
    options: dict[str, str] = Field(default={}, description="Driver options with their values")
    because: Because

    @model_validator(mode="after")
    def _something(self) -> NetworkSpec:
        named = ("driver", "scope", "internal", "attachable", "encrypted", "subnet", "mtu", "wire")
        if not self.options and all(getattr(self, key) is None for key in named):
            raise ValueError(f"expected at least one of {', '.join(named)}, options (or `from:` and `to:`)")
        return self


def _which(entry: object) -> str:
    if isinstance(entry, dict):
        return "pair" if {"from", "to"} & entry.keys() or "network" not in entry else "network"
    return "pair" if isinstance(entry, PairSpec) else "network"


ExpectSpec = Annotated[Annotated[PairSpec, Tag("pair")] | Annotated[NetworkSpec, Tag("network")], Discriminator(_which)]


class QuestionSpec(Strict):
    """One of the lesson's questions."""

    ask: str = Field(min_length=1)
    answer: str = Field(min_length=1)


class Block(Strict):
    """`x-swarmlab`: the lesson, the lab, and what should hold besides what follows from the Compose part."""

    title: str = ""
    summary: str = ""
    level: Literal["", "beginner", "intermediate", "advanced"] = ""
    concepts: list[str] = []
    hosts: int = Field(default=3, ge=1, le=MAX_HOSTS, description="How many hosts: host1, host2, …")
    managers: Literal[1, 3, 5] = Field(default=1, description="How many of them are managers")
    vars: dict[str, str | int | float | bool | None] = Field(
        default={}, description="Variables and their defaults, changed by --set"
    )
    local_networks: dict[Name, LocalNetworkSpec | None] = {}
    containers: dict[Name, ContainerSpec] = {}
    expect: list[ExpectSpec] = Field(
        default=[], max_length=500, description="Adds to or overrides what is derived from the Compose part"
    )
    questions: list[QuestionSpec] = []


def schema() -> dict[str, object]:
    """The published JSON Schema (draft 2020-12) of the block."""
    found = Block.model_json_schema(by_alias=True)
    # Two shorthands that the validators above accept as well.
    properties = found["$defs"]["ContainerSpec"]["properties"]
    properties["command"] = {
        "anyOf": [{"type": "string"}, properties["command"]],
        "description": properties["command"]["description"],
    }
    names = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    properties["networks"] = {
        "anyOf": [names, properties["networks"]],
        "description": properties["networks"]["description"],
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "swarmlab.scenario/1", **found}


def read_block(node: Node | None, complaints: Complaints) -> Block:
    """The block, or an empty one after complaining."""
    if node is None or is_null(node):
        return Block()
    if not isinstance(node, Table):
        complaints.add(node.place, "x-swarmlab: expected a mapping")
        return Block()
    try:
        return Block.model_validate(value(node))
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_context=True):
            _complain(node, fault, complaints)
        return Block()


def check_printable(node: Node | None, complaints: Complaints) -> None:
    """Complain about control characters (`"\\e[2J"`): what stands here is shown on terminals."""

    def check(scalar: Scalar, _path: tuple[str, ...]) -> Scalar:
        if not scalar.text.replace("\n", "").replace("\t", "").isprintable():
            complaints.add(scalar.place, f"control characters are not allowed in x-swarmlab: {quoted(scalar.text)}")
        return scalar

    if node is not None:
        mapped(node, check)


def _complain(root: Table, fault: ErrorDetails, complaints: Complaints) -> None:
    """One of pydantic's errors, with the place it is about."""
    loc = fault["loc"]
    # The third step below `expect` is the tag of the union, which the file does not have.
    steps = loc[:2] + loc[3:] if loc[0] == "expect" else loc
    node: Node = root
    place, path = root.place, ["x-swarmlab"]
    for step in steps:
        if isinstance(node, Table) and step in node.entries:
            place, node = node.place_of(str(step)), node.entries[str(step)][1]
            path.append(printable(str(step)[:60]))
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            place = node.place
            path[-1] += f"[{step + 1}]"
    where, above = ".".join(path), ".".join(path[:-1])
    if fault["type"] == "extra_forbidden":
        complaints.add(place, f"{above}: " + unknown("key", path[-1], _model_of(loc)))
    elif fault["type"] == "missing":
        complaints.add(place, f"{where}: `{loc[-1]}:` is missing")
    elif loc[-1] == "[key]":
        complaints.add(place, f"{above}: {quoted(path[-1])} is no name: expected {_wanted(fault)}")
    else:
        complaints.add(node.place if isinstance(node, Scalar) else place, f"{where}: {_worded(fault, node)}")


def _worded(fault: ErrorDetails, node: Node) -> str:
    if fault["type"] == "value_error":
        return fault["msg"].removeprefix("Value error, ")
    found = quoted(node.text) if isinstance(node, Scalar) and not is_null(node) else describe(node)
    return f"expected {_wanted(fault)}, found {found}"


PATTERNS = {
    LABEL: "letters, digits, _ and - only (not at the ends), at most 63",
    DNS_NAME: "a name that can be asked for: letters, digits, _ - and dots between",
}
WANTED = {
    "int_type": "a whole number", "int_parsing": "a whole number",
    "int_from_float": "a whole number", "int_parsing_size": "a whole number",
    "bool_type": "true or false", "bool_parsing": "true or false",
    "string_type": "text", "string_too_short": "text", "list_type": "a list",
    "dict_type": "a mapping", "model_type": "a mapping", "model_attributes_type": "a mapping",
    "too_short": "at least one", "too_long": "at most {max_length} entries",
    "literal_error": "{expected}", "greater_than_equal": "at least {ge}", "less_than_equal": "at most {le}",
}  # fmt: skip


def _wanted(fault: ErrorDetails) -> str:
    """What the fault says was expected, in the words of this program."""
    context = fault.get("ctx") or {}
    if fault["type"] == "string_pattern_mismatch":
        return PATTERNS.get(str(context.get("pattern")), "a host: host1, host2, …")
    wanted = WANTED.get(fault["type"])
    return wanted.format(**context) if wanted else fault["msg"].removeprefix("Input should be ")


MODELS: dict[str, type[Strict]] = {
    "local_networks": LocalNetworkSpec,
    "containers": ContainerSpec,
    "questions": QuestionSpec,
    "pair": PairSpec,
    "network": NetworkSpec,
}


def _model_of(loc: tuple[object, ...]) -> list[str]:
    """The keys that would have been known at the place of an unknown one."""
    model: type[Strict] = Block
    if len(loc) > 1:
        model = MODELS.get(str(loc[2] if loc[0] == "expect" else loc[0]), Block)
    if model is ContainerSpec and len(loc) > 3:
        model = AttachmentSpec
    return [info.alias or name for name, info in model.model_fields.items()]
