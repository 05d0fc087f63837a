"""Texts from outside: strict JSON, and messages that are safe to show and store.

Does not interpret parsed values.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

import msgspec

from batchctl.model.json_value import Json
from batchctl.model.texts import cut

_REPLACED = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029), " ")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
"""Reads JSON as RFC 8259 defines it: no NaN, no Infinity."""
FAST_DECODER = msgspec.json.Decoder()
"""Reads the same values, but refuses a few that JSON allows, such as half of a surrogate pair."""


def parse_json(body: bytes) -> Json:
    """Parse JSON in UTF-8. Raises ValueError for anything else, including nesting that is too deep."""
    try:
        return DECODER.decode(body.decode("utf-8"))
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc


def parse_line(text: bytes) -> Json:
    """The same for a line of a result file: nearly all of them are read by a faster reader, which is as strict."""
    try:
        return FAST_DECODER.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return parse_json(text)


def whole_characters(text: str) -> str:
    """The text with lone surrogates, which are valid in JSON but not in UTF-8, replaced by `?`."""
    return text.encode("utf-8", "replace").decode("utf-8")


def plain(text: str) -> str:
    """One line of text: control characters become spaces, and runs of white space one space."""
    return " ".join(whole_characters(text).translate(_REPLACED).split())


def capped(text: str) -> str:
    """One line of text, shortened to `MESSAGE_LIMIT` characters."""
    return cut(plain(text))


def as_object(value: object) -> dict[str, Any]:
    """The value if it is a JSON object, else an empty object: for parts of a reply that may be missing."""
    return value if isinstance(value, dict) else {}
