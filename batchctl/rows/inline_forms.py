"""Lists of rows in manifests that differ in their texts alone: the rows of one list are a template for the others.

The template is made by the functions for single rows, from the list with a mark in each gap, so its bytes are the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Self

import msgspec
from msgspec import Struct, field

from batchctl.model.canonical import row_bytes, with_escapes
from batchctl.model.forms.gap_texts import Gap
from batchctl.model.forms.line_values import fill
from batchctl.model.forms.templates import mark_of, marks_in
from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind
from batchctl.model.packed_rows import FormedRows, PackedRows
from batchctl.model.ports.row_reader import FilledRows
from batchctl.model.request.problems import Path
from batchctl.model.row_hashes import KnownKeys
from batchctl.rows.gaps import gaps_of
from batchctl.rows.row import checked_key, parse_row

MOST_GAPS = 256
"""The most gaps of a list. Longer lists belong in a file."""
_MOST_KNOWN = 1024
_AS_JSON = msgspec.json.Encoder().encode
_AS_MSGPACK = msgspec.msgpack.Encoder().encode


class _Template(Struct, frozen=True):
    """Bytes with gaps."""

    format: bytes
    """With `%b` for each gap."""
    order: tuple[int, ...]
    """The gaps in the order of `format`."""

    @classmethod
    def of(cls, text: bytes, marks: Sequence[bytes]) -> Self | None:
        """The template of bytes with marks in its gaps; None unless each of them is in it once."""
        if any(text.count(mark) != 1 for mark in marks):
            return None
        order = tuple(sorted(range(len(marks)), key=lambda gap: text.index(marks[gap])))
        text = text.replace(b"%", b"%%")
        for mark in marks:
            text = text.replace(mark, b"%b")
        return cls(text, order)

    def filled(self, texts: Sequence[bytes]) -> bytes:
        """The bytes, given the texts of the gaps."""
        return self.format % tuple([texts[gap] for gap in self.order])


class InlineForm(Struct, frozen=True, eq=False):
    """A form of lists. Implements RowsForm."""

    gaps: tuple[Path, ...]
    lines: _Template
    """`row_bytes` of all rows, and a line end after each."""
    packed: _Template
    """The rows as `PackedRows` has them."""
    keys: tuple[int | str | None, ...]
    """The key of each row, or its gap."""
    in_requests: tuple[int, ...]
    """The gaps whose texts are in requests."""
    filled_in: tuple[int, ...]
    """The gaps that cannot be empty."""
    known: dict[tuple[str | None, ...], KnownKeys | None] = field(default_factory=dict)
    """Lists of keys; None: the rows have to be read one by one. Most lists have the same."""

    def fill(self, texts: Sequence[str]) -> FilledRows | None:
        """See RowsForm."""
        keys = self._known_keys(tuple([texts[key] if isinstance(key, int) else key for key in self.keys]))
        if keys is None or ("" in texts and not all(texts[gap] for gap in self.filled_in)):
            return None
        raw = _escaped(texts)
        lines = with_escapes(self.lines.filled(raw))
        return FilledRows(
            FormedRows(self.packed, texts, len(self.keys)),
            hashlib.sha256(lines).hexdigest(),
            keys.hashes(lines.split(b"\n")[:-1]),
            sum([len(raw[gap]) for gap in self.in_requests]),
        )

    def _known_keys(self, keys: tuple[str | None, ...]) -> KnownKeys | None:
        if keys not in self.known:
            if len(self.known) >= _MOST_KNOWN:
                self.known.clear()
            self.known[keys] = KnownKeys.of(keys) if _are_keys(keys) else None
        return self.known[keys]


def _escaped(texts: Sequence[str]) -> list[bytes]:
    """The texts as in JSON, without quotes."""
    together = _AS_JSON(texts)
    if texts and b"\\" not in together:  # so no quote in it is a part of a text
        return together[2:-2].split(b'","')
    return [_AS_JSON(text)[1:-1] for text in texts]


def _are_keys(keys: Sequence[str | None]) -> bool:
    """Whether a list may have rows with these keys."""
    given = [key for key in keys if key is not None]
    if len(set(given)) < len(given):
        return False
    try:
        for key in given:
            checked_key(key)
    except ValueError:
        return False
    return True


def inline_form(rows: Sequence[Json], kind: Kind) -> InlineForm | None:
    """The form of a list of rows without a problem; None if there is none."""
    gaps = {
        (index, *path): gap
        for index, row in enumerate(rows)
        for path, gap in gaps_of(row, kind).items()
        if gap in (Gap.TEXT, Gap.SOME_TEXT)
    }
    try:
        is_marked = bool(marks_in(_AS_JSON(rows)))
    except UnicodeEncodeError:
        return None  # half of a surrogate pair, from a variable
    if is_marked or len(gaps) > MOST_GAPS:
        return None
    marks = [mark_of(number) for number in range(len(gaps))]
    filled = fill(list(rows), dict(zip(gaps, marks, strict=True)))
    parsed = [parse_row(row, kind) for row in filled]
    lines = _Template.of(b"".join(row_bytes(row) + b"\n" for row in parsed), [mark.encode() for mark in marks])
    packed = _Template.of(PackedRows.of(parsed).packed, list(map(_AS_MSGPACK, marks)))
    if lines is None or packed is None or any(row.in_body for row in parsed):
        return None
    in_requests = set(marks_in(_AS_JSON([row.request for row in parsed])))
    return InlineForm(
        gaps=tuple(gaps),
        lines=lines,
        packed=packed,
        keys=tuple(marks.index(row.key) if row.key in marks else row.key for row in parsed),
        in_requests=tuple(number for number, mark in enumerate(marks) if mark in in_requests),
        filled_in=tuple(number for number, gap in enumerate(gaps.values()) if gap is Gap.SOME_TEXT),
    )
