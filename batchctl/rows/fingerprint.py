"""Short fingerprints of JSON values, to compare what is too large to be kept. They differ between processes."""

from __future__ import annotations

import json

import msgspec

from batchctl.model.json_value import Json

_SORTED = msgspec.json.Encoder(order="sorted", enc_hook=dict)
_MOST = 2**64 - 1


def fingerprint(value: Json) -> int:
    """64 bits that follow from the value, whatever the order of its members. Raises RecursionError."""
    try:
        text = _SORTED.encode(value)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError):
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=dict).encode("ascii")
    return hash(text) & _MOST
