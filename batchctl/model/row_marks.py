"""Our own marks on the rows that batchctl sends: how a row that came back is known, whatever order it came in.

Owns their spelling. A mark never looks like a number: importers turn text that does into numbers, and drop its zeros.
A label has at most a thousand values, which is all that a billing account may have in its life (reference chapter 16).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from batchctl.model.desired import Json
from batchctl.model.keys import OWN_LABELS

POSITION = f"{OWN_LABELS}row"
"""The member of an inline row's metadata that holds its mark. As a label, it held the position in one number once."""
_ONES = f"{OWN_LABELS}row-ones"
_THOUSANDS = f"{OWN_LABELS}row-thousands"
_OLD_MEMBER = "index"
"""Of an inline row's metadata, before marks had a name of their own."""
_BASE = 1000
_MARK = re.compile(r"r(0|[1-9][0-9]{0,8})")
_OLD = re.compile(r"0|[1-9][0-9]{0,8}")
_KEY = re.compile(rf"{OWN_LABELS}r(0|[1-9][0-9]{{0,8}})")


def key_of(position: int) -> str:
    """The key of a row that has none of its own, by its 0-based position."""
    return f"{OWN_LABELS}r{position}"


def position_of_key(key: str | None) -> int | None:
    """The position that a key of ours tells; None for a key of the user's."""
    found = _KEY.fullmatch(key or "")
    return int(found[1]) if found else None


def labels_of(position: int) -> dict[str, str]:
    """The labels of a row; none for one beyond what two labels can tell."""
    thousands, ones = divmod(position, _BASE)
    return {_ONES: f"r{ones}", _THOUSANDS: f"r{thousands}"} if thousands < _BASE else {}


def position_of_labels(labels: Mapping[str, Json]) -> int | None:
    """The position that a row's labels tell, those of older releases too."""
    ones, thousands = _marked(labels.get(_ONES)), _marked(labels.get(_THOUSANDS))
    if ones is not None and thousands is not None:
        return thousands * _BASE + ones
    return _plain(labels.get(POSITION))


def metadata_of(position: int) -> dict[str, str]:
    """What an inline row's metadata carries. Typed clients read it as a map of strings (reference 6.6)."""
    return {POSITION: f"r{position}"}


def position_of_metadata(metadata: Mapping[str, Json]) -> int | None:
    """The position that an inline row's metadata tells, those of older releases too."""
    if POSITION in metadata:
        return _marked(metadata[POSITION])
    return _plain(metadata.get(_OLD_MEMBER))


def without_position(metadata: Mapping[str, Json]) -> dict[str, Json]:
    """An inline row's metadata as it was before batchctl put its mark in."""
    own = POSITION if POSITION in metadata else _OLD_MEMBER
    return {name: value for name, value in metadata.items() if name != own}


def without_labels(request: Mapping[str, Json]) -> Mapping[str, Json]:
    """A request as it was before batchctl put its labels in."""
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
    """A bare number: as text, as it was sent, or as a number, as it may come back."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value) if isinstance(value, int) else value
    return int(text) if isinstance(text, str) and _OLD.fullmatch(text) else None
