"""The canonical JSON of a value, and hashes of it.

Two values are the same work if they differ only in member order, spaces, or `1` and `1.0`. State files keep digests
for years, so this must never change under the scheme `d1:`.
"""

from __future__ import annotations

import hashlib
import json

from batchctl.model.desired import Json, RequestRow


def canonical_json(value: Json) -> bytes:
    """The value as ASCII JSON: members sorted by code point, no spaces, integral floats written as integers.

    Raises ValueError for NaN and infinities, which JSON cannot represent.
    """
    text = _dump(value)
    # Python writes ".0" or "e+" only for integral floats. Without either there is nothing to change, which saves time
    # for files of a million rows.
    if ".0" in text or "e+" in text:
        text = _dump(_with_integers(value))
    return text.encode("ascii")


def sha256_json(value: Json) -> str:
    """The sha256 of the value's canonical JSON, as 64 hex digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def row_bytes(row: RequestRow) -> bytes:
    """The bytes of a row for a hash: the canonical JSON of `[key, request]`.

    A third item has the members beside the request, if there are any. A fourth one has the name of the member that
    holds the request, if that is not `request`.
    """
    entry: list[Json] = [row.key, row.request]
    if row.members or row.in_body:
        entry.append(row.members)
    if row.in_body:
        entry.append("body")
    return canonical_json(entry)


class RowsHasher:
    """Hashes rows one by one, so that rows in a manifest and the same rows in a file have one hash.

    The hash covers the `row_bytes` of each row and a line end, so the order of the rows matters.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, row: RequestRow) -> None:
        """Add the next row."""
        self._hash.update(row_bytes(row))
        self._hash.update(b"\n")

    def hexdigest(self) -> str:
        """The hash of all rows added, as 64 hex digits."""
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
