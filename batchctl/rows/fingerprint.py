"""Short fingerprints of JSON values, to compare what is too large to be kept."""

from __future__ import annotations

import hashlib
import json

from batchctl.model.desired import Json


def fingerprint(value: Json) -> int:
    """64 bits that follow from the value, whatever the order of its members. Raises RecursionError."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=dict)
    return int.from_bytes(hashlib.blake2b(text.encode("ascii"), digest_size=8).digest(), "big")
