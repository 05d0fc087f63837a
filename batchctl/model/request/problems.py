"""The problems that a request can have."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from batchctl.model.json_value import Json
from batchctl.model.quoting import cut

Path: TypeAlias = tuple[str | int, ...]
"""Where in the request a problem is: names of members and indexes of items, from the outside in."""


class Fault(StrEnum):
    """The kinds of problem."""

    UNKNOWN_FIELD = "UnknownField"
    MISSING_FIELD = "MissingField"
    WRONG_TYPE = "WrongType"
    INVALID_VALUE = "InvalidValue"
    WRONG_PROVIDER = "WrongProvider"
    UNKNOWN_VALUE = "UnknownValue"
    DEPRECATED = "Deprecated"
    UNDOCUMENTED = "Undocumented"


WARNINGS = frozenset({Fault.UNKNOWN_VALUE, Fault.DEPRECATED, Fault.UNDOCUMENTED})
"""Problems of requests that the API may accept: enums grow, deprecated members work, and documents lack members."""


class Problem(Struct, frozen=True, order=True):
    """One problem: its place, its reason and a hint."""

    path: Path
    fault: Fault
    message: str
    hint: str = ""
    wanted: tuple[str, ...] = ()
    """Of a wrong type: the types that are wanted, as JSON Schema names them."""

    @property
    def is_warning(self) -> bool:
        """Whether the request may be sent nevertheless."""
        return self.fault in WARNINGS

    @property
    def place(self) -> str:
        """The path as people write it: `generationConfig.stopSequences[0]`."""
        text = ""
        for step in self.path:
            text += f"[{step}]" if isinstance(step, int) else f".{cut(step)}"
        return text.removeprefix(".")


def kind_of(value: Json) -> str:
    """The type of a value, for messages."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"
