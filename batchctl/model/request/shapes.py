"""The shape of a request: all that its check depends on, and nothing else.

Two requests of one shape have the same verdict, so a file of a million rows of one shape needs one full check. A text
that may be anything, such as a prompt, is not part of a shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind
from batchctl.model.request.catalogue import MESSAGES, ROOTS
from batchctl.model.request.check import is_base64
from batchctl.model.request.fields import (
    Base64,
    Choice,
    Each,
    Free,
    Integer,
    Message,
    Named,
    Number,
    Of,
    Text,
    Value,
)
from batchctl.model.request.rules import COMPARED
from batchctl.model.request.spelling import spellings

Shape: TypeAlias = tuple[object, ...] | str
"""Nested tuples: `(OBJECT, name, shape, …)`, `(EACH, shape)`, `(LIST, shape, …)`, `(CONST, type, value)`, or a mark."""

OBJECT = "{}"
EACH = "[…]"
"""A list with at least one item, whose items all have one shape."""
LIST = "[]"
CONST = "="
ANY_TEXT = "text"
"""Any string."""
ANY_BASE64 = "base64"
"""Any bytes in base64."""
KNOWN = "known"
"""A known value of an enum."""
IN_BOUNDS = "number"
"""A number between the bounds of its field."""
ANYTHING = "free"
"""Data of the user that no rule reads."""
_LONGEST = 100
"""Characters of a text that a shape may contain: where a rule reads more, each request is checked in full."""


class _NoShape(Exception):
    """The request has to be checked in full."""


def shape_of(request: Mapping[str, Json], kind: Kind, *, is_table: bool) -> Shape | None:
    """The shape of a request; None if it has to be checked in full.

    `is_table`: names and types inside the user's data count too, because an importer makes columns of them.
    """
    try:
        return _object(request, ROOTS[kind], is_table)
    except (_NoShape, RecursionError):
        return None


def _object(value: Mapping[str, Json], message: Message, is_table: bool) -> Shape:
    known = spellings(message.name)
    shape: list[object] = [OBJECT]
    for name, member in value.items():
        field = known.get(name)
        if field is None:
            raise _NoShape
        shape.append(name)
        shape.append(_const(member) if field.name in COMPARED else _shape(member, field.value, is_table))
    return tuple(shape)


def _shape(value: Json, kind: Value, is_table: bool) -> Shape:
    if type(value) is str:
        return _text(value, kind)
    if type(value) is dict:
        match kind:
            case Of(name):
                return _object(value, MESSAGES[name], is_table)
            case Named(inner):
                found = [part for name, one in value.items() for part in (name, _shape(one, inner, is_table))]
                return (OBJECT, *found)
            case Free():
                return _data(value) if is_table else ANYTHING
            case Each(item, one_is_enough=True):
                return _shape(value, item, is_table)
    if type(value) is list and isinstance(kind, Each):
        return _list([_shape(one, kind.item, is_table) for one in value])
    if type(value) in (int, float) and isinstance(kind, Integer | Number):
        return _number(value, kind)
    return _const(value)


def _list(shapes: list[Shape]) -> Shape:
    is_even = bool(shapes) and shapes.count(shapes[0]) == len(shapes)
    return (EACH, shapes[0]) if is_even else (LIST, *shapes)


def _text(value: str, kind: Value) -> Shape:
    match kind:
        case Text(pattern="", non_empty=False):
            return ANY_TEXT
        case Text(pattern="") if value:
            return ANY_TEXT
        case Choice(values) if value in values:
            return KNOWN
        case Base64() if is_base64(value):
            return ANY_BASE64
    return _const(value)


def _number(value: float, kind: Integer | Number) -> Shape:
    is_whole = isinstance(kind, Number) or value == int(value)
    if is_whole and (kind.least is None or value >= kind.least) and (kind.most is None or value <= kind.most):
        return IN_BOUNDS
    return _const(value)


def _const(value: Json) -> Shape:
    """A value that a rule reads."""
    if value is None or type(value) in (bool, int, float) or (type(value) is str and len(value) <= _LONGEST):
        return (CONST, type(value).__name__, value)
    raise _NoShape


def _data(value: Json) -> Shape:
    """The names and types of the user's data."""
    if type(value) is dict:
        return (OBJECT, *(part for name, one in value.items() for part in (name, _data(one))))
    if type(value) is list:
        return _list([_data(one) for one in value])
    return type(value).__name__
