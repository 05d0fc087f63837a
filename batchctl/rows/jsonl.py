"""JSON Lines, read strictly and one line at a time.

Owns every bound on what a line may be. Knows nothing of rows.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import NoReturn, Protocol

import msgspec
from msgspec import Struct

from batchctl.model.file_forms import foreign_form, way_out
from batchctl.model.json_value import Json
from batchctl.model.quoting import shown_json
from batchctl.model.stack import LINE_BYTES

_SKIPPED = 2**20
"""Bytes of a long line that are read and dropped at once."""

NESTING = 100
"""Deepest nesting, the same bound that manifests have."""

LINE_VALUES = 1_000_000
"""Most values and members on one line: a line of nothing but brackets would take up thirty times its size."""

_SENTENCES = {
    "Expecting value": "expected a value",
    "Extra data": "the line continues after the end of its value",
    "Expecting property name enclosed in double quotes": "expected a name in double quotes",
    "Expecting ',' delimiter": "expected a comma or a closing bracket",
    "Expecting ':' delimiter": "expected a colon",
    "Unterminated string starting": "the string that starts here is not closed",
    "Invalid control character": "write control characters such as tabs as escapes (\\t)",
}
"""Stable words for the messages of Python's JSON reader, which differ between versions."""

_DECODER = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()
_QUOTE_ESCAPE = b"\\u0022"
_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
"""The white space of JSON (RFC 8259, section 2); Python's own includes form feeds."""
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)


class Line(Struct, frozen=True):
    """One line that is not blank; `number` counts all lines from 1. A line with a `fault` has no value."""

    number: int
    value: Json = None
    fault: str | None = None
    is_json: bool = True
    """False where the fault is the syntax."""
    raw: bytes = b""
    """Its bytes, if it has a value."""
    is_foreign: bool = False
    """Whether it is the start of a file that does not consist of lines. It is the last one then."""


class LineSource(Protocol):
    """A source of lines."""

    def readline(self, size: int, /) -> bytes:
        """The next line, or its first bytes."""
        ...


def read_lines(stream: LineSource, limit: int = LINE_BYTES, before: int = 0) -> Iterator[Line]:
    """The lines of a stream, one after the other, faulty ones too, after `before` other lines. Raises OSError."""
    number = before
    while raw := stream.readline(limit + 1):
        number += 1
        form = foreign_form(raw) if number == 1 else None
        if form is not None:
            yield Line(1, fault=f"the file is {form}, not lines of JSON in UTF-8: {way_out(form)}", is_foreign=True)
            return
        if len(raw) > limit:
            _skip_rest(stream, raw)
            yield Line(number, fault=f"longer than {limit:,} bytes, which is the stack's limits.lineBytes")
            continue
        if number == 1:
            raw = raw.removeprefix(_BOM)
        if line := raw.rstrip(_SPACE):
            yield _parse(number, line)


def _skip_rest(stream: LineSource, raw: bytes) -> None:
    while raw and not raw.endswith(b"\n"):
        raw = stream.readline(_SKIPPED)


def _parse(number: int, raw: bytes) -> Line:
    try:
        return Line(number, parse_json(raw), raw=raw)
    except UnicodeDecodeError as error:
        return Line(number, fault=f"not UTF-8 at byte {error.start + 1} of the line")
    except json.JSONDecodeError as error:
        says = _SENTENCES.get(error.msg.removesuffix(" at"), error.msg)
        return Line(number, fault=f"not JSON at column {error.colno}: {says}", is_json=False)
    except ValueError as error:
        return Line(number, fault=str(error))


def parse_json(raw: bytes) -> Json:
    """One JSON value. Raises ValueError for invalid JSON or UTF-8, and for values beyond batchctl's own limits."""
    # msgspec accepts nothing that the strict reader refuses, but for many values, repeated members and deep nesting.
    if _separators(raw) > LINE_VALUES:
        return _parse_strictly(raw)
    try:
        value = _DECODER.decode(raw)
        is_certain = has_no_repeated_member(raw, _ENCODER.encode(value)) and not _is_too_deep(raw, value)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        is_certain = False
    return value if is_certain else _parse_strictly(raw)


def has_no_repeated_member(raw: bytes, written: bytes) -> bool:
    """Whether no object of a JSON text can have a member twice, given its value written again.

    A repeated member is not written again, and takes its quotes with it. Only escaped quotes could replace them.
    """
    return raw.count(b'"') == written.count(b'"') and not has_quote_escape(raw)


def has_quote_escape(raw: bytes) -> bool:
    """Whether a JSON text has a quote as an escape, which is written again as a quote."""
    return _QUOTE_ESCAPE in raw


def _parse_strictly(raw: bytes) -> Json:
    """The same value by a slower reader, which knows the reason and the place of each error."""
    text = raw.decode("utf-8")
    if text.startswith("\ufeff"):
        raise ValueError("the line starts with an invisible byte order mark: remove it")
    if _separators(raw) > LINE_VALUES and _separators(_STRINGS.sub(b"", raw)) > LINE_VALUES:
        raise ValueError(f"holds more than {LINE_VALUES:,} values")
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_integer
        )
    except RecursionError:
        raise ValueError(_too_deep()) from None
    if _is_too_deep(raw, value):
        raise ValueError(_too_deep())
    if b"\\u" in raw:
        _refuse_lone_surrogates(value)
    return value


def _separators(raw: bytes) -> int:
    """At least the number of values: each but the first comes behind a bracket, a comma or a colon."""
    if len(raw) <= LINE_VALUES:
        return len(raw)
    return raw.count(b"{") + raw.count(b"[") + raw.count(b",") + raw.count(b":")


def _is_too_deep(raw: bytes, value: Json) -> bool:
    """Counting is cheap and decides for nearly every line; only a line with many brackets is searched."""
    return raw.count(b"{") + raw.count(b"[") > NESTING and _is_deeper(value, NESTING)


def _too_deep() -> str:
    return f"nested deeper than {NESTING} levels"


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        [(name, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"member {shown_json(name)} is given twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text[:20]} is too large")
    return value


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("a number has too many digits") from None


def _is_deeper(value: Json, levels: int) -> bool:
    layer = [value]
    for _ in range(levels):
        inner: list[Json] = []
        for item in layer:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        layer = inner
    return any(isinstance(item, dict | list) for item in layer)


def _refuse_lone_surrogates(value: Json) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair: not a character") from None
