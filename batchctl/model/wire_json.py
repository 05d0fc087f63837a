"""JSON as it is sent: members in the user's order, characters of all scripts as they are, no spaces."""

from __future__ import annotations

import json

import msgspec

from batchctl.model.canonical import is_plain
from batchctl.model.json_value import Json

_ENCODER = msgspec.json.Encoder()
_PYTHON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def wire_json(value: Json) -> bytes:
    """The value as UTF-8 JSON, the same bytes for years. Raises ValueError for what JSON or UTF-8 cannot represent."""
    return _ENCODER.encode(value) if is_plain(value) else _PYTHON.encode(value).encode("utf-8")
