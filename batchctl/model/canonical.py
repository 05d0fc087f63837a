"""One spelling for every JSON value, and hashes over it.

Owns what makes two values the same work: member order, spaces and `1` against `1.0` do not matter, all else does.
Digests live for years in state files, so nothing here may ever change under the scheme `d1:`.
"""

from __future__ import annotations

import hashlib
import json

from batchctl.model.desired import Json, RequestRow


def canonical_json(value: Json) -> bytes:
    """The value as ASCII JSON: members sorted by code point, no spaces, integral floats written as integers.

    Raises ValueError for NaN and infinities, which JSON cannot carry.
    """
    text = _dump(value)
    # Only an integral float is spelt with ".0" or "e+" by Python: without either, there is nothing to change, and
    # files of a million rows are spared a walk in Python.
    if ".0" in text or "e+" in text:
        text = _dump(_with_integers(value))
    return text.encode("ascii")


def sha256_json(value: Json) -> str:
    """The sha256 of the value's canonical JSON, as 64 hex digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def row_bytes(row: RequestRow) -> bytes:
    """What of a row enters a hash: the canonical JSON of `[key, request]`.

    One that has more than these enters with what stood beside its request, as a third item, and as a fourth one the
    name of the member that held the request, where that was another one.
    """
    entry: list[Json] = [row.key, row.request]
    if row.members or row.in_body:
        entry.append(row.members)
    if row.in_body:
        entry.append("body")
    return canonical_json(entry)


class RowsHasher:
    """Hashes rows one by one, so that rows in a manifest and the same rows in a file have one hash.

    Each row enters as its `row_bytes` and a line end; the order of the rows counts.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, row: RequestRow) -> None:
        """Take in the next row."""
        self._hash.update(row_bytes(row))
        self._hash.update(b"\n")

    def hexdigest(self) -> str:
        """The hash of all rows so far, as 64 hex digits."""
        return self._hash.hexdigest()


def _dump(value: Json) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _with_integers(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _with_integers(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_with_integers(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
