"""Marks on the rows that batchctl sends, to recognise a row in its result in any order.

A mark never looks like a number, because importers turn such text into numbers and drop its zeros. A label has at most
a thousand values, the limit in the life of a billing account (reference chapter 16).
"""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.json_value import Json
from batchctl.model.keys import OWN_LABELS
from batchctl.model.pattern import Pattern

POSITION = f"{OWN_LABELS}row"
"""The member of an inline row's metadata with its mark. Older releases used it as a label with the position."""
_ONES = f"{OWN_LABELS}row-ones"
_THOUSANDS = f"{OWN_LABELS}row-thousands"
_OLD_MEMBER = "index"
"""The member of an inline row's metadata in older releases."""
_BASE = 1000
_MARK = Pattern(r"r(0|[1-9][0-9]{0,8})")
_OLD = Pattern(r"0|[1-9][0-9]{0,8}")
_KEY = Pattern(rf"{OWN_LABELS}r(0|[1-9][0-9]{{0,8}})")


def key_of(position: int) -> str:
    """The key for a row without one, by its 0-based position."""
    return f"{OWN_LABELS}r{position}"


def position_of_key(key: str | None) -> int | None:
    """The position in a key that batchctl wrote; None for a user's key."""
    found = _KEY.fullmatch(key) if key is not None and key.startswith(OWN_LABELS) else None
    return int(found[1]) if found else None


def may_be_ours(keys: bytes) -> bool:
    """Whether a text with keys as JSON may have one that batchctl wrote."""
    return OWN_LABELS.encode("ascii") in keys or b"\\" in keys


def labels_of(position: int) -> dict[str, str]:
    """The labels of a row; none for a position that two labels cannot represent."""
    thousands, ones = divmod(position, _BASE)
    return {_ONES: f"r{ones}", _THOUSANDS: f"r{thousands}"} if thousands < _BASE else {}


def position_of_labels(labels: Mapping[str, Json]) -> int | None:
    """The position in a row's labels, also in those of older releases."""
    ones, thousands = _marked(labels.get(_ONES)), _marked(labels.get(_THOUSANDS))
    if ones is not None and thousands is not None:
        return thousands * _BASE + ones
    return _plain(labels.get(POSITION))


def metadata_of(position: int) -> dict[str, str]:
    """The metadata of an inline row, a map of strings, because typed clients expect that (reference 6.6)."""
    return {POSITION: f"r{position}"}


def position_of_metadata(metadata: Mapping[str, Json]) -> int | None:
    """The position in an inline row's metadata, also in that of older releases."""
    if POSITION in metadata:
        return _marked(metadata[POSITION])
    return _plain(metadata.get(_OLD_MEMBER))


def without_position(metadata: Mapping[str, Json]) -> dict[str, Json]:
    """An inline row's metadata without batchctl's mark."""
    own = POSITION if POSITION in metadata else _OLD_MEMBER
    return {name: value for name, value in metadata.items() if name != own}


def without_labels(request: Mapping[str, Json]) -> Mapping[str, Json]:
    """A request without batchctl's labels."""
    labels = request.get("labels")
    if not isinstance(labels, Mapping) or not any(name.startswith(OWN_LABELS) for name in labels):
        return request
    kept = {name: value for name, value in labels.items() if not name.startswith(OWN_LABELS)}
    rest = {name: value for name, value in request.items() if name != "labels"}
    return {**rest, "labels": kept} if kept else rest


def _marked(value: Json) -> int | None:
    found = _MARK.fullmatch(value) if isinstance(value, str) else None
    return int(found[1]) if found else None


def _plain(value: Json) -> int | None:
    """A plain number: as text, as it was sent, or as a number, as it may be returned."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value) if isinstance(value, int) else value
    return int(text) if isinstance(text, str) and _OLD.fullmatch(text) else None
