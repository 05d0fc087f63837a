"""Reads many lines of a known form at once: the rows that one program writes differ in little but their texts.

A form is learned from a line whose row was read and checked in full. It is the line with gaps where any text is right.
A line that equals it, byte by byte but for the gaps, has the same verdict, and its canonical JSON is another text with
the same gaps. All other lines are read one by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from operator import itemgetter
from typing import TypeAlias

from batchctl.model.canonical import row_bytes, with_escapes
from batchctl.model.desired import Json, Kind, RequestRow
from batchctl.model.keys import OWN_LABELS
from batchctl.rows.gaps import Gap, Path, fill, find_values, gaps_of
from batchctl.rows.row import KEY_LENGTH, parse_row

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


_MARK, _NUMBER_MARK = "b3c9f1d27a64e850-", "73940168257"
"""Stand for a text and a number while a form is learned, before the number of the gap."""
_MARKS = re.compile(f"(?:{_MARK}|{_NUMBER_MARK})[0-9]{{4}}".encode())
_Order: TypeAlias = Callable[[tuple[bytes, ...]], tuple[bytes, ...]]


class _NoForm(Exception):
    """Lines have to be read one by one."""


@dataclass(frozen=True, eq=False)
class LineForm:
    """A form of lines."""

    pattern: re.Pattern[bytes]
    shrinks: int
    """The bytes by which a line is longer than its canonical JSON, both with their line ends."""
    line: bytes
    """`row_bytes` and a line end, with `%b` for each gap."""
    order: _Order | None
    """Puts the texts of the gaps into the order of `line`; None if they have it."""
    key: int | None
    """The gap with the key."""
    members: tuple[str, ...]
    """The members of the request."""
    tokens: int
    """The most output tokens of a row."""

    def write(self, rows: Sequence[tuple[bytes, ...]]) -> bytes:
        """The canonical lines of rows, given the texts of their gaps."""
        return b"".join(map(self.line.__mod__, rows if self.order is None else map(self.order, rows)))


@dataclass(frozen=True)
class RowBlock:
    """Rows of known forms."""

    keys: Sequence[str | None]
    """The key of each row."""
    lines: bytes
    """`row_bytes` of each row, and a line end."""
    forms: Mapping[LineForm, int]
    """The number of rows of each form."""

    @property
    def names(self) -> Sequence[str]:
        """The keys of those rows that have one."""
        return [key for key in self.keys if key is not None]


class LineForms:
    """The forms of one file."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
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
        rows: list[tuple[bytes, ...]] = list(zip(found, strict=True)) if form.pattern.groups == 1 else found
        lines = form.write(rows)
        if len(lines) + form.shrinks * len(rows) != len(block):
            return None  # some bytes are between the matches
        keys: Sequence[str | None] = [None] * len(rows)
        if form.key is not None:
            keys = _keys(list(map(itemgetter(form.key), rows)))
        return RowBlock(keys, with_escapes(lines), {form: len(rows)})

    def _mixed(self, block: bytes) -> RowBlock:
        """The rows of several forms."""
        found: list[tuple[LineForm, tuple[bytes, ...]]] = [self._find(line) for line in BytesIO(block)]
        counts: dict[LineForm, int] = {}
        for form, _ in found:
            counts[form] = counts.get(form, 0) + 1
        keys = [None if form.key is None else row[form.key] for form, row in found]
        known = iter(_keys([key for key in keys if key is not None]))
        lines = b"".join(form.write((row,)) for form, row in found)
        return RowBlock([None if key is None else next(known) for key in keys], with_escapes(lines), counts)

    def _find(self, line: bytes) -> tuple[LineForm, tuple[bytes, ...]]:
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
            form = form_of(raw, value, row, self._kind, tokens)
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


def form_of(raw: bytes, value: Json, row: RequestRow, kind: Kind, tokens: int) -> LineForm | None:
    """The form of a line, whose JSON is `value` and whose row is `row`; None if it has none."""
    values, gaps = find_values(raw), gaps_of(value, kind)
    places = {path: values[path] for path in values if path in gaps}
    texts = [f"{_NUMBER_MARK if gaps[path] is Gap.WHOLE else _MARK}{number:04}" for number, path in enumerate(places)]
    others = {path: int(text) if gaps[path] is Gap.WHOLE else text for path, text in zip(places, texts, strict=True)}
    fixed = len(raw) - sum(end - start for start, end in places.values())
    if row.in_body or not places or fixed > _LONGEST or _MARKS.search(raw):
        return None
    filled = parse_row(fill(value, others), kind)
    line, order = _template(row_bytes(filled), texts)
    keys = [number for number, text in enumerate(texts) if text == filled.key]
    if line is None or bool(keys) != (row.key is not None):
        return None
    shrinks = fixed + 1 - len(line % ((b"",) * len(places)))
    return LineForm(
        _pattern(raw, places, gaps), shrinks, line, order, keys[0] if keys else None, tuple(row.request), tokens
    )


def _pattern(raw: bytes, places: Mapping[Path, tuple[int, int]], gaps: Mapping[Path, Gap]) -> re.Pattern[bytes]:
    text, at = b"", 0
    for path, (start, end) in places.items():
        text += re.escape(raw[at:start]) + b"(" + _PATTERNS[gaps[path]] + b")"
        at = end
    return re.compile(text + re.escape(raw[at:]) + rb"\n")


def _template(line: bytes, texts: Sequence[str]) -> tuple[bytes | None, _Order | None]:
    """A line with `%b` in place of each of some texts, and the order of these texts in it; None where one is lost."""
    found = [text.decode() for text in _MARKS.findall(line)]
    if sorted(found) != sorted(texts):
        return None, None
    template = _MARKS.sub(b"%b", line.replace(b"%", b"%%")) + b"\n"
    order = [texts.index(text) for text in found]
    return template, None if order == sorted(order) else itemgetter(*order)
