"""JSON lines as results files have them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import msgspec

from batchctl.model.json_value import Json

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder()
_NULL = b"null"


def encoded(value: Json) -> bytes:
    """A value as JSON on one line. Never fails on what an API may send: a paid result is kept, whatever is in it."""
    try:
        raw = _ENCODER.encode(value)
        if _NULL not in raw:
            return raw
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError):
        pass  # half of a surrogate pair
    # msgspec writes null for NaN and infinities.
    return _by_python(value)


def encoded_each(values: Sequence[Json]) -> Sequence[bytes]:
    """The same for several values."""
    try:
        raw = _ENCODER.encode_lines(values)
        if _NULL not in raw:
            return raw.split(b"\n")[:-1]
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError):
        pass
    return [encoded(value) for value in values]


def decoded(raw: bytes) -> Json:
    """The value that `encoded` wrote. Raises RecursionError."""
    try:
        return _DECODER.decode(raw)
    except (msgspec.MsgspecError, ValueError):
        return json.loads(raw)  # half of a surrogate pair


def _by_python(value: Json) -> bytes:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A lone surrogate becomes its JSON escape by this, which is what the API sent.
    return text.encode("utf-8", "backslashreplace")


def _finite(value: Json) -> Json:
    """NaN and infinities as the strings that proto-JSON has for them."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, dict):
        return {name: _finite(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value
