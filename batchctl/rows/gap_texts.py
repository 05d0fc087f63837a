"""The texts in the gaps of lines of one form: proven to be allowed there, and written as canonical JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from batchctl.model.canonical import with_escapes
from batchctl.rows.gaps import Gap
from batchctl.rows.templates import Column

_DECODER = msgspec.json.Decoder(str)
_ENCODER = msgspec.json.Encoder()
BETWEEN = b"\x7f"
"""Is between the texts of a column while they are proven, as one text. Lines with this character have no form.

It cannot be a part of an escape, as a line end or a quote could.
"""
PLAIN = {Gap.BASE64: rb"[A-Za-z0-9+/_-]*+={0,2}", Gap.WHOLE: rb"0|-?[1-9][0-9]{0,17}+"}
"""Patterns of the texts that JSON and canonical JSON write alike."""
_PLAIN_COLUMNS = {gap: re.compile(b"(?:(?:%b)%b)*+" % (text, BETWEEN)) for gap, text in PLAIN.items()}


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
    proven = [_texts(gap, column) for gap, column in zip(gaps, columns, strict=True)]
    found = [both for both in proven if both is not None]
    if len(found) < len(gaps):
        return None
    return GapTexts(len(columns[0]), [canonical for canonical, _ in found], [plain for _, plain in found])


def _texts(gap: Gap, column: Column) -> tuple[Column, Column] | None:
    """The texts of one gap, as canonical JSON has them and as JSON needs them."""
    if gap in _PLAIN_COLUMNS:
        return (column, column) if _PLAIN_COLUMNS[gap].fullmatch(BETWEEN.join([*column, b""])) else None
    if gap is Gap.SOME_TEXT and not all(column):
        return None
    text = b'"%b"' % BETWEEN.join(column)
    try:
        written = _ENCODER.encode(_DECODER.decode(text))
    except (msgspec.MsgspecError, ValueError):
        return None
    plain = column if written == text else written[1:-1].split(BETWEEN)
    if len(plain) != len(column):
        return None
    return (plain if written.isascii() else _escaped(written)), plain


def _escaped(text: bytes) -> Column:
    """The texts as canonical JSON has them. Written JSON has no line ends."""
    return with_escapes(text[1:-1].replace(BETWEEN, b"\n")).split(b"\n")
