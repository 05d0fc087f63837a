"""Reads many answers of a known form at once: those of one job differ in little but their texts and counts.

A form is learned from a line that was decoded. A line that equals it, byte by byte but for its gaps, has the same JSON
with other values in them, so it is not decoded: its texts are only proven to be JSON. All other lines are decoded.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import BytesIO
from itertools import groupby

from msgspec import Struct

from batchctl.model.answer_lines import AnswerForm, FormedAnswers
from batchctl.model.forms.gap_texts import BETWEEN, Gap, prove_plain, texts_of
from batchctl.model.forms.line_values import Path, fill, find_values
from batchctl.model.forms.splitting import Around, between, split
from batchctl.model.forms.templates import Template, mark_of, marks_in
from batchctl.model.forms.tries import Tries
from batchctl.model.json_value import Json
from batchctl.model.result_json import encoded

_KEY = "key"
_RESPONSE = "response"
_TEXTS = frozenset({"text", "thoughtSignature", "responseId"})
_NUMBERS = frozenset({"avgLogprobs"})
_COUNT = "okenCount"
"""The end of the names of counts."""
_NULL = b"null"
_MOST_FORMS = 4
_SHORTEST_RUN = 2
"""Lines of a run of similar ones, on an average, for which a block is cut there."""
_LONGEST = 2**14
"""Bytes of what the lines of a form have in common."""
_MOST_FAILURES = 16
"""Blocks without a known form, after which only few blocks are tried."""


class _LineForm(Struct, frozen=True, eq=False):
    """A form of lines."""

    between: Around
    gaps: tuple[Gap, ...]
    key: int
    """The gap with the key."""
    answer: AnswerForm
    is_plain: bool
    """Whether an answer is written in the same way if it has `null` in it."""

    def read(self, block: bytes) -> FormedAnswers | None:
        """The results of a block of whole lines; None if one has another form."""
        columns = split(block, self.between)
        if columns is None or not (self.is_plain or _NULL not in block):
            return None
        texts = prove_plain(self.gaps, columns)
        if texts is None:
            return None
        return FormedAnswers(texts_of(texts[self.key]), self.answer, [*texts[: self.key], *texts[self.key + 1 :]])

    def has_texts(self, line: bytes) -> bool:
        """Whether a line with its end may have this form: it begins and ends so, and has all texts between."""
        first, *middle, last = self.between
        return line.startswith(first) and line.endswith(last) and all(map(line.__contains__, middle))


class AnswerForms:
    """The forms of one result file."""

    def __init__(self) -> None:
        self._forms: list[_LineForm] = []
        self._tries = Tries(_MOST_FAILURES)
        self._is_tried = True

    def read(self, block: bytes) -> FormedAnswers | None:
        """The results of a block of whole lines; None if they have to be decoded."""
        self._is_tried = self._tries.is_due
        if self._is_tried and BETWEEN not in block:
            for place, form in enumerate(self._forms):
                found = form.read(block)
                if found is not None:
                    self._forms.insert(0, self._forms.pop(place))
                    self._tries.succeed()
                    return found
        self._tries.fail()
        return None

    def cut(self, block: bytes, few: int) -> Sequence[bytes]:
        """The runs of similar lines in a block of whole lines, or its halves.

        So few lines are one part, or a part each if no form is known.
        """
        count = block.count(b"\n")
        if count <= few:
            return (block,) if self._forms else list(BytesIO(block))
        runs = self._runs(block)
        return runs if 1 < len(runs) <= count / _SHORTEST_RUN else _halves(block)

    def _runs(self, block: bytes) -> Sequence[bytes]:
        """A block, cut where lines with the texts of the last form begin and end."""
        if not self._forms:
            return (block,)
        return [b"".join(lines) for _, lines in groupby(BytesIO(block), self._forms[0].has_texts)]

    def learn(self, line: bytes, key: str, response: dict[str, Json]) -> None:
        """Learn the form of a line without its end, which has this key and answer, and nothing else."""
        if self._is_tried:
            form = _form_of(line, {_KEY: key, _RESPONSE: response})
            self._forms = self._forms if form is None else [form, *self._forms[: _MOST_FORMS - 1]]


def _halves(block: bytes) -> Sequence[bytes]:
    """A block, cut at a line end near its middle; the block alone if there is none."""
    half = len(block) // 2
    end = block.rfind(b"\n", 0, half) + 1 or block.find(b"\n", half) + 1
    return (block[:end], block[end:]) if end < len(block) else (block,)


def _form_of(line: bytes, value: dict[str, Json]) -> _LineForm | None:
    """The form of a line; None if it has none."""
    values = find_values(line)
    kinds = {path: gap for path in values if (gap := _gap_of(path, value)) is not None}
    places = {path: values[path] for path in kinds}
    length = len(line) - sum(end - start for start, end in places.values())
    if (_KEY,) not in places or marks_in(line) or length > _LONGEST:
        return None
    own = {path: gap for path, gap in kinds.items() if path != (_KEY,)}
    numeric = [gap in (Gap.WHOLE, Gap.NUMBER) for gap in own.values()]
    marks = [mark_of(number, is_number=is_number) for number, is_number in enumerate(numeric)]
    others: dict[Path, str | int] = {
        path: int(mark) if is_number else mark for path, mark, is_number in zip(own, marks, numeric, strict=True)
    }
    filled = fill(value, others)[_RESPONSE]
    written = encoded(filled)
    template = Template.of(written, marks)
    if template is None:
        return None
    is_plain = (
        Gap.NUMBER not in own.values()
        and json.dumps(filled, ensure_ascii=False, separators=(",", ":")).encode() == written
    )
    answer = AnswerForm(value[_RESPONSE], tuple(path[1:] for path in own), template)
    around = tuple(between(line, places.values()))
    return _LineForm(around, tuple(kinds.values()), list(kinds).index((_KEY,)), answer, is_plain)


def _gap_of(path: Path, value: Json) -> Gap | None:
    """The gap at a place of a line; None if all lines of the form have the same value there."""
    if path == (_KEY,):
        return Gap.TEXT
    for step in path:
        value = value[step]
    name = path[-1]
    if name in _TEXTS:
        return Gap.TEXT if isinstance(value, str) else None
    if name in _NUMBERS:
        return Gap.NUMBER if isinstance(value, float) else None
    is_count = isinstance(name, str) and name.endswith(_COUNT) and type(value) is int
    return Gap.WHOLE if is_count else None
