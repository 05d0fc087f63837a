"""Reads many lines of a known form at once: the rows that one program writes differ in little but their texts.

A form is learned from a line whose row was read and checked in full. It is the line with gaps where any text is right.
A line that equals it, byte by byte but for the gaps, has the same verdict, and its canonical JSON is another text with
the same gaps. All other lines are read one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import groupby
from operator import is_, itemgetter
from typing import TypeAlias

from msgspec import Struct

from batchctl.model.canonical import row_bytes
from batchctl.model.forms.gap_texts import BETWEEN, PLAIN, Gap, GapTexts, prove, proven, texts_of
from batchctl.model.forms.line_values import Path, fill, find_values
from batchctl.model.forms.splitting import Around, between, split
from batchctl.model.forms.templates import Column, Template, mark_of, marks_in
from batchctl.model.forms.tries import Tries
from batchctl.model.json_value import Json
from batchctl.model.keys import OWN_LABELS
from batchctl.model.kinds import Kind
from batchctl.model.sources import RequestRow
from batchctl.rows.gaps import gaps_of
from batchctl.rows.job_forms import JobForm, JobShape
from batchctl.rows.row import KEY_LENGTH, parse_row

_TEXT = rb'[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+'
_PATTERNS = {Gap.TEXT: _TEXT, Gap.SOME_TEXT: rb'(?!")' + _TEXT, **PLAIN}
"""Find the form of a single line. `prove` decides whether the texts are allowed there."""
_OWN_LABELS = OWN_LABELS.encode("ascii")
_LONGEST = 2**16
"""Bytes of a form. Longer ones are not worth a pattern."""
_MOST_FORMS = 16
_MOST_FAILURES = 16
"""Blocks without a known form, after which only few blocks are tried."""


class _NoForm(Exception):
    """Lines have to be read one by one."""


class LineForm(Struct, frozen=True, eq=False):
    """A form of lines."""

    pattern: re.Pattern[bytes]
    between: Around
    gaps: tuple[Gap, ...]
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


Run: TypeAlias = tuple[LineForm, GapTexts]
"""Rows of one form that come one after the other, each as the texts of its gaps."""


class RowBlock(Struct, frozen=True):
    """Rows of known forms."""

    runs: Sequence[Run]
    """The rows by their forms, in their order."""
    around: Around | None = None
    """The texts around the gaps of all rows, if they have one form, and their texts are plain as they are."""

    @property
    def lines(self) -> bytes:
        """`row_bytes` of each row, and a line end."""
        return b"".join(form.line.lines(texts.canonical, len(texts)) for form, texts in self.runs)

    def __len__(self) -> int:
        return sum(len(texts) for _, texts in self.runs)

    @property
    def raw_keys(self) -> Iterator[Column]:
        """The keys of those rows that have one, in UTF-8."""
        return (texts.plain[form.key] for form, texts in self.runs if form.key is not None)

    @property
    def keys(self) -> Sequence[str | None]:
        """The key of each row."""
        keys: list[str | None] = []
        for form, texts in self.runs:
            keys += [None] * len(texts) if form.key is None else texts_of(texts.plain[form.key])
        return keys


class LineForms:
    """The forms of one file.

    `shape` makes the `JobForm` of each; without it, forms have none.
    """

    def __init__(self, kind: Kind, shape: JobShape | None = None) -> None:
        self._kind = kind
        self._shape = shape
        self._forms: list[LineForm] = []
        self._tries = Tries(_MOST_FAILURES)
        self._is_tried = True

    def read(self, block: bytes, around: Around | None = None) -> RowBlock | None:
        """The rows of a block of complete lines; None if they have to be read one by one.

        `around`: what an earlier reading of the same bytes has found to be around the gaps of all rows.
        """
        self._is_tried = self._tries.is_due
        if not self._forms or not self._is_tried:
            self._tries.fail()
            return None
        try:
            block = _with_line_ends(block)
            found = self._known(block, around) or self._even(block) or self._mixed(block)
        except _NoForm:  # whose place and bytes a reading one by one will name
            self._tries.fail()
            return None
        self._tries.succeed()
        return found

    def _known(self, block: bytes, around: Around | None) -> RowBlock | None:
        """The rows, if their texts were proven with a form like one of these."""
        form = None if around is None else next((form for form in self._forms if form.between == around), None)
        columns = None if form is None else split(block, form.between)
        if form is None or columns is None:
            return None
        return RowBlock([(form, proven(columns, is_ascii=block.isascii()))], around)

    def _even(self, block: bytes) -> RowBlock | None:
        """The rows, if all have the form that came last."""
        form = self._forms[0]
        columns = split(block, form.between)
        try:
            return None if columns is None else _block([(form, columns)])
        except _NoForm:
            return None

    def _mixed(self, block: bytes) -> RowBlock:
        """The rows of several forms."""
        found = groupby((self._find(line) for line in BytesIO(block)), key=itemgetter(0))
        return _block([(form, list(zip(*(texts for _, texts in rows), strict=True))) for form, rows in found])

    def _find(self, line: bytes) -> tuple[LineForm, Sequence[bytes]]:
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
    """The block with LF at the end of each line. Inside a line, CR is only a space of JSON, and no form has one.

    Raises _NoForm if the block has a character that no form has.
    """
    if BETWEEN in block:
        raise _NoForm
    block = block.replace(b"\r\n", b"\n") if b"\r" in block else block
    return block if block.endswith(b"\n") else block + b"\n"


def _block(found: Sequence[tuple[LineForm, Sequence[Column]]]) -> RowBlock:
    """The rows of some forms, given the texts in their gaps. Raises _NoForm if one is not allowed there."""
    runs: list[Run] = []
    is_plain = True
    for form, columns in found:
        texts = prove(form.gaps, columns)
        if texts is None or not (form.key is None or _are_keys(texts.plain[form.key])):
            raise _NoForm
        runs.append((form, texts))
        is_plain = is_plain and all(map(is_, texts.plain, columns))
    return RowBlock(runs, runs[0][0].between if is_plain and len(runs) == 1 else None)


def _are_keys(raw: Column) -> bool:
    """Whether all texts of JSON are certainly keys, and have no escape."""
    joined = b"\n".join(raw)
    if b"\\" in joined or _OWN_LABELS in joined or not all(raw):
        return False
    if joined.isascii():
        # A text of JSON has no control character, and all other characters of ASCII can be printed.
        return max(map(len, raw)) <= KEY_LENGTH
    text = joined.decode("utf-8")
    return text.replace("\n", " ").isprintable() and max(map(len, text.split("\n"))) <= KEY_LENGTH


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
    around = tuple(between(raw, places.values()))
    kinds = tuple(gaps[path] for path in places)
    key = keys[0] if keys else None
    return LineForm(_pattern(around, kinds), around, kinds, line, key, tuple(row.request), tokens, job)


def _filled(
    value: Json, places: Mapping[Path, object], gaps: Mapping[Path, Gap], kind: Kind
) -> tuple[RequestRow, Sequence[str]]:
    """The row with a mark in each gap, and the marks."""
    marks = [mark_of(number, is_number=gaps[path] is Gap.WHOLE) for number, path in enumerate(places)]
    others = {path: int(mark) if gaps[path] is Gap.WHOLE else mark for path, mark in zip(places, marks, strict=True)}
    return parse_row(fill(value, others), kind), marks


def _pattern(around: Sequence[bytes], gaps: Sequence[Gap]) -> re.Pattern[bytes]:
    texts = [re.escape(text) for text in around]
    inner = (b"(" + _PATTERNS[gap] + b")" + text for gap, text in zip(gaps, texts[1:], strict=True))
    return re.compile(b"".join((texts[0], *inner)))
