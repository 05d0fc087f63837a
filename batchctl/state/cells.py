"""Converts times, durations, flags and JSON to the cells of a table, and back. Readers raise ValueError."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import TypeAlias, TypeVar

import msgspec

from batchctl.model.json_value import Json
from batchctl.model.keys import Account
from batchctl.model.slim_tree import PART, SlimTree
from batchctl.model.times import read_rfc3339, rfc3339

_DECODER = msgspec.json.Decoder()
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
Cell = str | int | None
"""A value in a table: text, a whole number or NULL."""

Record: TypeAlias = dict[str, Cell]
"""One record of a table, by column."""

Stored: TypeAlias = Mapping[str, Json]
"""A record as it was read, not checked yet."""

MOST_SHARED = 1024
"""Many records have the same account and settings. Such values are read once and shared, which also saves memory."""

V = TypeVar("V", bound=msgspec.Struct)


class CellError(ValueError):
    """A cell has a value that batchctl never writes."""


class NewerError(Exception):
    """A cell has a value that only a newer batchctl writes."""


def text_cell(text: str) -> str:
    """Text that SQLite can store: lone surrogates, which a reply's JSON escapes can contain, become `?`."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def optional_text_cell(text: str | None) -> str | None:
    """Text as `text_cell` writes it, or NULL."""
    return None if text is None else text_cell(text)


def time_cell(time: datetime | None) -> str | None:
    """RFC 3339 in UTC with a `Z`. Raises ValueError for a time without a zone."""
    if time is None:
        return None
    if time.tzinfo is None:
        raise ValueError(f"a time without a time zone: {time!r}")
    return rfc3339(time)


def json_cell(value: Json) -> str:
    """Readable JSON: members sorted, with the fewest escapes."""
    return text_cell(_encoder()(value))


def _plain(value: object) -> Json:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"not JSON: {type(value).__name__}")


@cache
def _encoder() -> Callable[[object], str]:
    import json  # to write a state

    return json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, default=_plain).encode


def seconds_of(duration: timedelta | None) -> int | float | None:
    """A duration in seconds, as a whole number if it is one."""
    if duration is None:
        return None
    seconds = duration.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds


def read_text(cell: Json) -> str:
    """Text, unchanged."""
    if not isinstance(cell, str):
        raise CellError(f"expected text, found {cell!r}")
    return cell


def read_optional_text(cell: Json) -> str | None:
    """Text or NULL."""
    return None if cell is None else read_text(cell)


def read_number(cell: Json) -> int:
    """A whole number; JSON's true and false are not numbers."""
    if not isinstance(cell, int) or isinstance(cell, bool):
        raise CellError(f"expected a whole number, found {cell!r}")
    return cell


def read_optional_number(cell: Json) -> int | None:
    """A whole number or NULL."""
    return None if cell is None else read_number(cell)


def read_flag(cell: Json) -> bool:
    """0 and 1 of a column, false and true of a JSON member."""
    if cell not in (0, 1):
        raise CellError(f"expected 0 or 1, found {cell!r}")
    return bool(cell)


def read_optional_time(cell: Json) -> datetime | None:
    """A time from `time_cell`, or NULL."""
    return None if cell is None else read_time(cell)


def read_time(cell: Json) -> datetime:
    """A time from `time_cell`, or any RFC 3339 time with a zone that a person typed; in UTC."""
    return read_rfc3339(read_text(cell)).astimezone(UTC)


def _decode(text: str) -> Json:
    """JSON. msgspec takes half of the time, and keeps one copy of the names that all records have."""
    try:
        return _DECODER.decode(text)
    except msgspec.DecodeError:
        import json  # for what msgspec refuses

        return json.loads(text)


def read_object(cell: Json) -> dict[str, Json]:
    """A JSON object."""
    value = _decode(read_text(cell))
    if not isinstance(value, dict):
        raise CellError(f"expected a JSON object, found {cell!r}")
    return value


@lru_cache(MOST_SHARED)
def read_account(cell: Json) -> Account:
    """The account in a column."""
    return Account.parse(read_text(cell))


@lru_cache(MOST_SHARED)
def read_shared_text(cell: Json) -> str:
    """A text that many records have in common, such as the name of a model."""
    return read_text(cell)


def read_shared_object(cell: Json) -> Mapping[str, Json]:
    """A JSON object whose members many records have in common, such as the settings of a request."""
    try:
        return {name: _read_member(bytes(member)) for name, member in _MEMBERS.decode(read_text(cell)).items()}
    except msgspec.MsgspecError:
        return read_object(cell)


def read_tree(cell: Json) -> Mapping[str, Json]:
    """The content of a digest, whose members other than the source many records have in common."""
    text = read_text(cell)
    try:
        part = _PART.decode(text).source
    except msgspec.MsgspecError:
        return read_object(text)
    if isinstance(part, msgspec.UnsetType):
        return read_shared_object(text)
    packed = bytes(part)
    before, found, after = text.partition(f'"{PART}": {packed.decode()}')
    shared = _read_shared_tree(before, after) if found else None
    return read_shared_object(text) if shared is None else SlimTree(shared, packed)


class _Part(msgspec.Struct):
    source: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_PART = msgspec.json.Decoder(_Part)


@lru_cache(MOST_SHARED)
def _read_shared_tree(before: str, after: str) -> Mapping[str, Json] | None:
    """The content of a digest around its source; None if that is not what was left out, but an equal member inside."""
    shared = read_shared_object(f'{before}"{PART}": null{after}')
    return shared if shared[PART] is None else None


@lru_cache(MOST_SHARED)
def _read_member(text: bytes) -> Json:
    return _DECODER.decode(text)


def read_labels(cell: Json) -> dict[str, str]:
    """A JSON object whose members are texts."""
    return {name: read_text(value) for name, value in read_object(cell).items()}


def read_texts(cell: Json) -> tuple[str, ...]:
    """A JSON list of texts."""
    value = _decode(read_text(cell))
    if not isinstance(value, list):
        raise CellError(f"expected a JSON list, found {cell!r}")
    return tuple(read_text(item) for item in value)


def read_seconds(value: Json) -> timedelta | None:
    """A duration from `seconds_of`."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CellError(f"expected seconds, found {value!r}")
    return timedelta(seconds=value)


def value_cell(value: msgspec.Struct | None) -> Cell:
    """A value as JSON, without members that have their defaults; NULL for None."""
    return None if value is None else json_cell(msgspec.to_builtins(value))


def read_value(cell: Json, kind: type[V]) -> V | None:
    """The value of `value_cell`."""
    if cell is None:
        return None
    try:
        return msgspec.convert(read_object(cell), kind)
    except msgspec.ValidationError as error:
        raise CellError(f"expected a {kind.__name__}: {error}") from error
