"""Values as plain JSON, and back by their type hints.

msgspec itself can neither tell the members of a union of untagged classes apart, nor read mappings whose keys are
values. So a value is an object with the name of its class in `is`, without members that have their defaults, and such
a mapping is a list of pairs. Reading creates no class but those that the hints name, and runs no other code.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from batchctl.model.json_value import Json
from batchctl.model.packed_rows import PackedRows

CLASS = "is"
"""The member with the name of the class."""


class _Member(Struct, frozen=True):
    name: str
    default: Callable[[], object]
    """Gives something that is no value where there is no default."""
    written: str
    """The attribute whose value is written, under its name: the member, or what it computes."""


def to_plain(value: object) -> Json:
    """The value as plain JSON. Raises TypeError for a class that is no value."""
    match value:
        case Enum():
            return value.value if isinstance(value, StrEnum) else value.name
        case str() | bool() | int() | float() | None:
            return value
        case Struct():
            return _plain_members(value)
        case date() | timedelta() | Decimal():
            return msgspec.to_builtins(value)
        case Path():
            return str(value)
        case Mapping():
            return _plain_mapping(value)
    return _plain_items(value)


def _plain_mapping(value: Mapping[Any, object]) -> Json:
    if all(type(name) is str for name in value):
        return {name: to_plain(one) for name, one in value.items()}
    return [[to_plain(name), to_plain(one)] for name, one in value.items()]


def _plain_members(value: object) -> Json:
    cls: Any = type(value)
    found = ((member, getattr(value, member.written)) for member in members(cls))
    named = {member.written: to_plain(one) for member, one in found if one != member.default()}
    return {CLASS: cls.__name__, **named}


def _plain_items(value: object) -> Json:
    match value:
        case PackedRows():
            return len(value)  # a bundle has no rows, but for their number
        case AbstractSet():
            return sorted((to_plain(one) for one in value), key=str)
        case tuple() | list():
            return [to_plain(one) for one in value]
    raise TypeError(f"{type(value).__name__} is not a value")


def from_plain(plain: Json, hint: Any) -> Any:  # noqa: ANN401 - the value of the hint
    """The value of plain JSON. Members that its class does not have are left out.

    Raises ValueError, also for msgspec.ValidationError, which is one, for what `to_plain` has not written.
    """
    if hint is Any:
        return plain
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _of_union(plain, arguments)
    if origin is None:
        return _of_class(plain, hint)
    if issubclass(origin, Mapping):
        return _mapping(plain, *arguments)
    if isinstance(plain, int) and issubclass(origin, Sequence):
        return PackedRows(b"", plain)
    items = _list(plain)
    if origin is tuple:
        if arguments[1:] == (...,):
            return tuple(from_plain(one, arguments[0]) for one in items)
        return tuple(from_plain(one, each) for one, each in zip(items, arguments, strict=True))
    make: Callable[[Iterable[object]], object] = frozenset if issubclass(origin, AbstractSet) else list
    return make([from_plain(one, arguments[0]) for one in items])


def is_value(cls: type[Any]) -> bool:
    """Whether a class is one of values."""
    return issubclass(cls, Struct)


@cache
def members(cls: type[Any]) -> tuple[_Member, ...]:
    """The members of a class of values that are written, with their defaults."""
    left_out: frozenset[str] = getattr(cls, "NOT_WRITTEN", frozenset())
    written: Mapping[str, str] = getattr(cls, "WRITTEN_AS", {})
    found = (one for one in msgspec.structs.fields(cls) if one.name not in left_out)
    return tuple(
        _Member(one.name, _default(one.default, one.default_factory), written.get(one.name, one.name)) for one in found
    )


_NONE = msgspec.NODEFAULT


def _default(default: object, factory: Any) -> Callable[[], object]:  # noqa: ANN401 - a callable, or a mark
    if factory is not _NONE:
        return factory  # type: ignore[no-any-return]
    return lambda: default


@cache
def _hints(cls: type[Any]) -> Mapping[str, Any]:
    return get_type_hints(cls)


def _of_union(plain: Json, hints: tuple[Any, ...]) -> object:
    if plain is None and type(None) in hints:
        return None
    named = plain.get(CLASS) if isinstance(plain, dict) else None
    others = [hint for hint in hints if hint is not type(None)]
    for hint in others:
        if isinstance(hint, type) and is_value(hint):
            for cls in (hint, *hint.__subclasses__()):
                if cls.__name__ == named:
                    return _of_class(plain, cls)
    if named is not None:
        raise ValueError(f"{named!r} is none of {', '.join(getattr(hint, '__name__', str(hint)) for hint in others)}")
    if len(others) == 1:
        return from_plain(plain, others[0])
    shared = [hint for hint in others if not (isinstance(hint, type) and is_value(hint))]
    if not shared:
        raise ValueError(f"there is no {' or '.join(hint.__name__ for hint in others)} where one must be")
    if Path in shared:
        return from_plain(plain, Path)
    return msgspec.convert(plain, Union[tuple(shared)], strict=True)  # noqa: UP007 - made of a tuple


def _of_class(plain: Json, cls: Any) -> object:  # noqa: ANN401 - any class
    if is_value(cls):
        return _value(plain, cls)
    if issubclass(cls, Enum) and not issubclass(cls, StrEnum):
        if not isinstance(plain, str) or plain not in cls.__members__:
            raise ValueError(f"{plain!r} is no {cls.__name__}")
        return cls[plain]
    if cls is Path:
        return Path(msgspec.convert(plain, str))
    return msgspec.convert(plain, cls)


def _value(plain: Json, cls: type) -> object:
    if not isinstance(plain, dict) or plain.get(CLASS) != cls.__name__:
        raise ValueError(f"there is no {cls.__name__} where one must be")
    hints = _hints(cls)
    given: dict[str, object] = {}
    for member in members(cls):
        if member.name in plain:
            try:
                given[member.name] = from_plain(plain[member.name], hints[member.name])
            except ValueError as error:
                raise ValueError(f"{cls.__name__}.{member.name}: {error}") from error
    try:
        return cls(**given)
    except TypeError as error:
        raise ValueError(f"{cls.__name__}: {error}") from error


def _mapping(plain: Json, key: Any, hint: Any) -> dict[Any, Any]:  # noqa: ANN401 - two hints
    pairs = plain.items() if isinstance(plain, dict) else ((one, two) for one, two in map(_list, _list(plain)))
    return {from_plain(name, key): from_plain(one, hint) for name, one in pairs}


def _list(plain: Json) -> list[Json]:
    if not isinstance(plain, list):
        raise ValueError("there is no list where one must be")  # noqa: TRY004  a document with an error, not a wrong call
    return plain
