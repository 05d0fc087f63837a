"""Reads many lines of a known form at once: the rows that one program writes differ in little but their texts.

A form is learned from a line whose row was read and checked in full. It is the line with gaps where any text is right.
A line that equals it, byte by byte but for the gaps, has the same verdict, and its canonical JSON is another text with
the same gaps. All other lines are read one by one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import groupby
from operator import itemgetter
from typing import TypeAlias, cast

from msgspec import Struct

from batchctl.model.canonical import row_bytes, with_escapes
from batchctl.model.json_value import Json
from batchctl.model.keys import OWN_LABELS
from batchctl.model.kinds import Kind
from batchctl.model.sources import RequestRow
from batchctl.rows.gaps import Gap, Path, fill, find_values, gaps_of
from batchctl.rows.job_forms import JobForm, JobShape
from batchctl.rows.row import KEY_LENGTH, parse_row
from batchctl.rows.templates import Gaps, Template, mark_of, marks_in

_PLAIN = rb"[ !#-\[\]-~\x80-\xff]*+"
"""Characters of a text that JSON and canonical JSON write alike, or that get their escapes later."""
_ESCAPE = (
    rb'\\(?:["\\nrtbf]|u(?:[1-9a-ce-f][0-9a-f]{3}|0[1-9a-f][0-9a-f]{2}|00[89a-f][0-9a-f]|d[0-7][0-9a-f]{2}'
    rb"|d[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}))"
)
"""Escapes as canonical JSON has them."""
_TEXT = _PLAIN + rb"(?:" + _ESCAPE + _PLAIN + rb")*+"
_PATTERNS = {
    Gap.TEXT: _TEXT,
    Gap.SOME_TEXT: rb'(?=[^"])' + _TEXT,
    Gap.BASE64: rb"[A-Za-z0-9+/_-]*+={0,2}",
    Gap.WHOLE: rb"0|-?[1-9][0-9]{0,17}+",
}
_LONGEST = 2**16
"""Bytes of a form. Longer ones are not worth a pattern."""
_MOST_FORMS = 16
_PATIENCE = 16
"""Blocks without a known form, after which only few blocks are tried."""
_PAUSE = 64


class _NoForm(Exception):
    """Lines have to be read one by one."""


class LineForm(Struct, frozen=True, eq=False):
    """A form of lines."""

    pattern: re.Pattern[bytes]
    shrinks: int
    """The bytes by which a line is longer than its canonical JSON, both with their line ends."""
    line: Template
    """`row_bytes` of a row."""
    key: int | None
    """The gap with the key."""
    members: tuple[str, ...]
    """The members of the request."""
    tokens: int
    """The most output tokens of a row."""
    job: JobForm | None = None
    """How a job sends rows of this form, if that was asked for."""


Run: TypeAlias = tuple[LineForm, Sequence[Gaps]]
"""Rows of one form that come one after the other, each as the texts of its gaps."""


class RowBlock(Struct, frozen=True):
    """Rows of known forms."""

    keys: Sequence[str | None]
    """The key of each row."""
    lines: bytes
    """`row_bytes` of each row, and a line end."""
    runs: Sequence[Run]
    """The rows by their forms, in their order."""

    @property
    def names(self) -> Sequence[str]:
        """The keys of those rows that have one."""
        return [key for key in self.keys if key is not None] if None in self.keys else cast("Sequence[str]", self.keys)


class LineForms:
    """The forms of one file.

    `shape` makes the `JobForm` of each; without it, forms have none.
    """

    def __init__(self, kind: Kind, shape: JobShape | None = None) -> None:
        self._kind = kind
        self._shape = shape
        self._forms: list[LineForm] = []
        self._failed = 0
        self._is_tried = True

    def read(self, block: bytes) -> RowBlock | None:
        """The rows of a block of complete lines; None if they have to be read one by one."""
        self._is_tried = self._failed <= _PATIENCE or self._failed % _PAUSE == 0
        if not self._forms or not self._is_tried:
            self._failed += 1
            return None
        try:
            block = _with_line_ends(block)
            found = self._even(block) or self._mixed(block)
        except (_NoForm, UnicodeDecodeError):  # whose place and bytes a reading one by one will name
            self._failed += 1
            return None
        self._failed = 0
        return found

    def _even(self, block: bytes) -> RowBlock | None:
        """The rows, if all have the form that came last."""
        form = self._forms[0]
        found = form.pattern.findall(block)
        rows: list[Gaps] = list(zip(found, strict=True)) if form.pattern.groups == 1 else found
        lines = form.line.lines(rows)
        if len(lines) + form.shrinks * len(rows) != len(block):
            return None  # some bytes are between the matches
        keys: Sequence[str | None] = [None] * len(rows)
        if form.key is not None:
            keys = _keys(list(map(itemgetter(form.key), rows)))
        return RowBlock(keys, with_escapes(lines), [(form, rows)])

    def _mixed(self, block: bytes) -> RowBlock:
        """The rows of several forms."""
        found = [self._find(line) for line in BytesIO(block)]
        keys = [None if form.key is None else row[form.key] for form, row in found]
        known = iter(_keys([key for key in keys if key is not None]))
        runs = [(form, [row for _, row in rows]) for form, rows in groupby(found, key=itemgetter(0))]
        lines = b"".join(form.line.lines(rows) for form, rows in runs)
        return RowBlock([None if key is None else next(known) for key in keys], with_escapes(lines), runs)

    def _find(self, line: bytes) -> tuple[LineForm, Gaps]:
        for place, form in enumerate(self._forms):
            match = form.pattern.fullmatch(line)
            if match is not None:
                if place:
                    self._forms.insert(0, self._forms.pop(place))
                return form, match.groups()
        raise _NoForm

    def learn(self, raw: bytes, value: Json, row: RequestRow, tokens: int) -> None:
        """Learn the form of a line whose row has no problem, unless it is known or forms have not helped for long."""
        if not self._is_tried:
            return
        try:
            self._find(raw + b"\n")
        except _NoForm:
            form = form_of(raw, value, row, self._kind, tokens, self._shape)
            if form is not None:
                self._forms = [form, *self._forms[: _MOST_FORMS - 1]]


def _with_line_ends(block: bytes) -> bytes:
    """The block with LF at the end of each line. Inside a line, CR is only a space of JSON, and no form has one."""
    block = block.replace(b"\r\n", b"\n") if b"\r" in block else block
    return block if block.endswith(b"\n") else block + b"\n"


def _keys(raw: Sequence[bytes]) -> Sequence[str]:
    """The keys in texts of JSON. Raises _NoForm if one may be wrong, or has an escape."""
    if not raw:
        return ()
    text = b"\n".join(raw).decode("utf-8")
    keys = text.split("\n")
    is_plain = "\\" not in text and text.replace("\n", " ").isprintable() and OWN_LABELS not in text
    if not is_plain or not all(keys) or max(map(len, keys)) > KEY_LENGTH:
        raise _NoForm
    return keys


def form_of(
    raw: bytes, value: Json, row: RequestRow, kind: Kind, tokens: int, shape: JobShape | None = None
) -> LineForm | None:
    """The form of a line, whose JSON is `value` and whose row is `row`; None if it has none."""
    values, gaps = find_values(raw), gaps_of(value, kind)
    places = {path: values[path] for path in values if path in gaps}
    if row.in_body or not places or marks_in(raw):
        return None
    filled, marks = _filled(value, places, gaps, kind)
    if shape is not None:
        fixed = shape.constants(filled)
        places = {path: place for (path, place), mark in zip(places.items(), marks, strict=True) if mark not in fixed}
        filled, marks = _filled(value, places, gaps, kind)
    length = len(raw) - sum(end - start for start, end in places.values())
    line = Template.of(row_bytes(filled), marks)
    keys = [number for number, mark in enumerate(marks) if mark == filled.key]
    if not places or line is None or bool(keys) != (row.key is not None) or length > _LONGEST:
        return None
    job = None if shape is None else shape.form(filled, marks)
    if job is None and shape is not None:
        return None
    shrinks = length + 1 - len(line.lines([(b"",) * len(places)]))
    key = keys[0] if keys else None
    return LineForm(_pattern(raw, places, gaps), shrinks, line, key, tuple(row.request), tokens, job)


def _filled(
    value: Json, places: Mapping[Path, object], gaps: Mapping[Path, Gap], kind: Kind
) -> tuple[RequestRow, Sequence[str]]:
    """The row with a mark in each gap, and the marks."""
    marks = [mark_of(number, is_number=gaps[path] is Gap.WHOLE) for number, path in enumerate(places)]
    others = {path: int(mark) if gaps[path] is Gap.WHOLE else mark for path, mark in zip(places, marks, strict=True)}
    return parse_row(fill(value, others), kind), marks


def _pattern(raw: bytes, places: Mapping[Path, tuple[int, int]], gaps: Mapping[Path, Gap]) -> re.Pattern[bytes]:
    text, at = b"", 0
    for path, (start, end) in places.items():
        text += re.escape(raw[at:start]) + b"(" + _PATTERNS[gaps[path]] + b")"
        at = end
    return re.compile(text + re.escape(raw[at:]) + rb"\n")
