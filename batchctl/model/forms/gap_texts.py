"""The texts in the gaps of lines of one form: proven to be allowed there, and written as canonical JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from functools import cache

import msgspec
from msgspec import Struct

from batchctl.model.canonical import with_escapes
from batchctl.model.forms.templates import Column


class Gap(Enum):
    """The texts that fit into a gap."""

    TEXT = "any text"
    SOME_TEXT = "any text but the empty one"
    BASE64 = "bytes in base64"
    WHOLE = "a whole number"
    NUMBER = "any number"


_DECODER = msgspec.json.Decoder(str)
_TEXTS = msgspec.json.Decoder(list[str])
_NUMBERS = msgspec.json.Decoder(list)
_ENCODER = msgspec.json.Encoder()
BETWEEN = b"\x7f"
"""Is between the texts of a column while they are proven, as one text. Lines with this character have no form.

It cannot be a part of an escape, as a line end or a quote could.
"""
PLAIN = {Gap.BASE64: rb"[A-Za-z0-9+/_-]*+={0,2}", Gap.WHOLE: rb"0|-?[1-9][0-9]{0,17}+"}
"""Patterns of the texts that JSON and canonical JSON write alike."""
_NUMBER = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"


class GapTexts(Struct, frozen=True):
    """Rows of one form, as the texts of their gaps."""

    count: int
    canonical: Sequence[Column]
    """The texts of each gap as canonical JSON has them."""
    plain: Sequence[Column]
    """The same without escapes that JSON does not need."""

    def __len__(self) -> int:
        return self.count

    def some(self, numbers: Sequence[int]) -> GapTexts:
        """These rows, by their numbers."""
        both = ([[column[number] for number in numbers] for column in two] for two in (self.canonical, self.plain))
        return GapTexts(len(numbers), *both)


def prove(gaps: Sequence[Gap], columns: Sequence[Column]) -> GapTexts | None:
    """The texts of rows, given as they are in their lines; None if one is not allowed in its gap."""
    found = _prove(gaps, columns)
    if found is None:
        return None
    canonical = [plain if written.isascii() else _escaped(written) for plain, written in found]
    return GapTexts(len(columns[0]), canonical, [plain for plain, _ in found])


def prove_plain(gaps: Sequence[Gap], columns: Sequence[Column]) -> Sequence[Column] | None:
    """The same without the canonical texts."""
    found = _prove(gaps, columns)
    return None if found is None else [plain for plain, _ in found]


def proven(columns: Sequence[Column], *, is_ascii: bool) -> GapTexts:
    """The texts of rows that `prove` has found to be allowed, and plain as they are. `is_ascii`: all texts are."""
    canonical = columns if is_ascii else [_canonical(column) for column in columns]
    return GapTexts(len(columns[0]), canonical, columns)


def texts_of(column: Column) -> Sequence[str]:
    """The values of texts without escapes that JSON does not need."""
    text = b"\n".join(column)
    if b"\\" in text:
        found: list[str] = _TEXTS.decode(b'["%b"]' % b'","'.join(column))
        return found
    return text.decode("utf-8").split("\n")


def _prove(gaps: Sequence[Gap], columns: Sequence[Column]) -> Sequence[tuple[Column, bytes]] | None:
    """For each gap its texts without escapes that JSON does not need, and all of them in one JSON text."""
    found = []
    for gap, column in zip(gaps, columns, strict=True):
        proven = _PROOFS.get(gap, _prove_texts)(gap, column)
        if proven is None:
            return None
        found.append(proven)
    return found


def _prove_texts(gap: Gap, column: Column) -> tuple[Column, bytes] | None:
    if gap is Gap.SOME_TEXT and not all(column):
        return None
    quoted = list(column)
    quoted[0] = b'"' + quoted[0]
    quoted[-1] += b'"'
    text = BETWEEN.join(quoted)
    try:
        written = _ENCODER.encode(_DECODER.decode(text))
    except (msgspec.MsgspecError, ValueError):
        return None
    plain = column if written == text else written[1:-1].split(BETWEEN)
    return (plain, written) if len(plain) == len(column) else None


def _prove_plain(gap: Gap, column: Column) -> tuple[Column, bytes] | None:
    return (column, b"") if _of_columns(gap).fullmatch(BETWEEN.join([*column, b""])) else None


@cache
def _of_columns(gap: Gap) -> re.Pattern[bytes]:
    """The pattern of the texts of a column, each with `BETWEEN` after it."""
    return re.compile(b"(?:(?:%b)%b)*+" % (PLAIN.get(gap, _NUMBER), BETWEEN))


def _prove_numbers(gap: Gap, column: Column) -> tuple[Column, bytes] | None:
    if _prove_plain(gap, column) is None:
        return None
    text = b"[%b]" % b",".join(column)
    try:
        written = _ENCODER.encode(_NUMBERS.decode(text))
    except (msgspec.MsgspecError, ValueError, OverflowError):
        return None
    return (column if written == text else written[1:-1].split(b",")), b""


_PROOFS = {Gap.BASE64: _prove_plain, Gap.WHOLE: _prove_plain, Gap.NUMBER: _prove_numbers}


def _escaped(text: bytes) -> Column:
    """The texts as canonical JSON has them. Written JSON has no line ends."""
    return with_escapes(text[1:-1].replace(BETWEEN, b"\n")).split(b"\n")


def _canonical(plain: Column) -> Column:
    text = b"\n".join(plain)
    return plain if text.isascii() else with_escapes(text).split(b"\n")
