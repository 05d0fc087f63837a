"""The canonical JSON of a value, and hashes of it.

Two values are the same work if they differ only in member order, spaces, or `1` and `1.0`. State files keep digests
for years, so this must never change under the scheme `d1:`.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache

import msgspec

from batchctl.model.json_value import Json
from batchctl.model.sources import RequestRow

SORTED = msgspec.json.Encoder(order="sorted")
"""Writes canonical JSON of plain values, but for escapes."""
_SMALL, _LARGE = 1e-4, 1e15
"""The numbers between them are written without an exponent by everybody."""
_MOST = 2**63
_BACKSLASH, _BACKSLASH_CODE = rb"\\", rb"\u005c"


def canonical_json(value: Json) -> bytes:
    """The value as ASCII JSON: members sorted by code point, no spaces, integral floats written as integers.

    Raises ValueError for NaN and infinities, which JSON cannot represent.
    """
    if is_plain(value):
        try:
            return with_escapes(SORTED.encode(value))
        except UnicodeEncodeError:
            pass  # half of a surrogate pair, which only the slower way writes
    text = _dump(value)
    # Python writes ".0" or "e+" only for integral floats.
    if ".0" in text or "e+" in text:
        text = _dump(_with_integers(value))
    return text.encode("ascii")


def compact_json(value: Json) -> bytes:
    """The value as JSON without spaces, in UTF-8: members in their order, with the fewest escapes."""
    if is_plain(value):
        try:
            return msgspec.json.encode(value)
        except UnicodeEncodeError:
            pass  # half of a surrogate pair
    import json  # as in `_dump`

    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", errors="surrogatepass")


def with_escapes(raw: bytes) -> bytes:
    """JSON text as msgspec writes it, with escapes for all characters that canonical JSON escapes."""
    if not raw.isascii():
        # Python's own escapes differ from those of JSON below U+0100 and above U+FFFF. Escaped backslashes of the text
        # are out of the way meanwhile, so that nothing else looks like such an escape.
        text = raw.replace(_BACKSLASH, _BACKSLASH_CODE).decode("utf-8")
        raw = text.encode("ascii", "backslashreplace").replace(rb"\x", rb"\u00")
        if rb"\U" in raw:
            raw = _astral().sub(_surrogates, raw)
        raw = raw.replace(_BACKSLASH_CODE, _BACKSLASH)
    return raw.replace(b"\x7f", rb"\u007f") if b"\x7f" in raw else raw


@cache
def _astral() -> re.Pattern[bytes]:
    return re.compile(rb"\\U([0-9a-f]{8})")


def _surrogates(found: re.Match[bytes]) -> bytes:
    code = int(found[1], 16) - 0x10000
    return b"\\u%04x\\u%04x" % (0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF))


def is_plain(value: Json) -> bool:
    """Whether msgspec writes a value as Python's encoder does, but for escapes."""
    kind = type(value)
    if kind is dict:
        for name, member in value.items():
            if type(name) is not str or not (type(member) is str or is_plain(member)):
                return False
        return True
    if kind is list:
        return all(map(is_plain, value))
    if kind is float:
        return _SMALL <= abs(value) < _LARGE and not value.is_integer()
    return kind is str or kind is bool or value is None or (kind is int and -_MOST <= value < _MOST)


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
        self.add_lines(row_bytes(row) + b"\n")

    def add_lines(self, lines: bytes) -> None:
        """Add the next rows: the `row_bytes` of each, and a line end."""
        self._hash.update(lines)

    def hexdigest(self) -> str:
        """The hash of all rows added, as 64 hex digits."""
        return self._hash.hexdigest()


def _dump(value: Json) -> str:
    import json  # for what msgspec writes in another way, which few values have

    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _with_integers(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _with_integers(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_with_integers(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
