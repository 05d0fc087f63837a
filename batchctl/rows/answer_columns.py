"""Judges and counts answers of one form by the texts and numbers in their gaps, without decoding them again.

A compiled type reads the sample of the form. All other answers differ from it in their gaps alone, so only these are
looked at. An answer of any other form, and one whose verdict is not `OK`, is read by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import starmap
from operator import itemgetter
from string import ascii_letters, digits

import msgspec
from msgspec import UNSET, Struct

from batchctl.model.answer_lines import AnswerForm, FormedAnswers
from batchctl.model.cost.tokens import LONG_PROMPT
from batchctl.model.forms.gap_texts import texts_of
from batchctl.model.forms.templates import Column
from batchctl.model.result_json import encoded
from batchctl.rows.expectation import Expectation
from batchctl.rows.plain_answers import CountedAnswer, are_good_texts, may_be_good, read_all_plain
from batchctl.rows.plain_usage import Count, PlainSums, PlainUsage

_COUNTS = ("promptTokenCount", "candidatesTokenCount", "totalTokenCount", "thoughtsTokenCount")
_DETAILS = {"promptTokensDetails": "promptTokenCount", "candidatesTokensDetails": "candidatesTokenCount"}
_NUMBERS = msgspec.json.Decoder(list[Count])
_USAGE = "usageMetadata"
_START = itemgetter(slice(0, 1))
_NOT_BLANK = frozenset(character.encode() for character in ascii_letters + digits + "[{(<*#-.,:")
"""Texts that start with one of these are not blank."""


class _Reader(Struct, frozen=True):
    """How the answers of one form are read. Numbers are those of gaps."""

    texts: tuple[int, ...]
    counts: tuple[int | None, ...]
    """The gap of each of `_COUNTS`; None: answers do not have it."""
    details: tuple[tuple[int, int], ...]
    """Pairs of gaps that have to have the same number."""
    version: str


class AnswerColumns:
    """Reads the answers of one result file."""

    def __init__(self) -> None:
        self._form: AnswerForm | None = None
        self._reader: _Reader | None = None

    def read(self, answers: FormedAnswers, expected: Expectation) -> tuple[PlainSums, str] | None:
        """The counts of answers and the model version that gave them, if the verdict on each is certain to be `OK`."""
        if answers.form is not self._form:
            self._form, self._reader = answers.form, _reader_of(answers.form)
        reader = self._reader
        if reader is None or not may_be_good(expected) or not _are_good(reader, answers.columns, expected):
            return None
        sums = _sums(reader, answers.columns)
        return None if sums is None else (sums, reader.version)


def _reader_of(form: AnswerForm) -> _Reader | None:
    """The reader of a form; None if its answers have to be read one by one."""
    found = read_all_plain(encoded({"response": dict(form.sample)}))
    answer = found[0] if found else None
    if not isinstance(answer, CountedAnswer) or answer.modelStatus is not UNSET:
        return None
    gaps = {path: number for number, path in enumerate(form.gaps)}
    parts = range(len(answer.candidates[0].content.parts))
    texts = [gaps.get(("candidates", 0, "content", "parts", part, "text")) for part in parts]
    counts = tuple(gaps.get((_USAGE, name)) for name in _COUNTS)
    details = [(gaps.get((_USAGE, name, 0, "tokenCount")), gaps.get((_USAGE, of))) for name, of in _DETAILS.items()]
    if not texts or not _is_even(answer.usageMetadata):
        return None
    pairs = tuple((one, other) for one, other in details if one is not None and other is not None)
    return _Reader(tuple(gap for gap in texts if gap is not None), counts, pairs, answer.modelVersion)


def _is_even(usage: PlainUsage) -> bool:
    """Whether an answer has details of text alone, or none."""
    return max(len(usage.promptTokensDetails), len(usage.candidatesTokensDetails)) <= 1


def _are_good(reader: _Reader, columns: Sequence[Column], expected: Expectation) -> bool:
    """Whether the text of each answer is what was asked for."""
    is_any_text = expected.choices is None and not expected.is_json
    if is_any_text and any(_NOT_BLANK.issuperset(map(_START, columns[gap])) for gap in reader.texts):
        return True
    parts = [texts_of(columns[gap]) for gap in reader.texts]
    return are_good_texts(parts[0] if len(parts) == 1 else list(map("".join, zip(*parts, strict=True))), expected)


def _sums(reader: _Reader, columns: Sequence[Column]) -> PlainSums | None:
    """The sums of the counts; None if one is not plausible, a prompt is long, or details say something else."""
    if not all(starmap(lambda one, other: list(columns[one]) == list(columns[other]), reader.details)):
        return None
    try:
        numbers = [None if gap is None else _NUMBERS.decode(b"[%b]" % b",".join(columns[gap])) for gap in reader.counts]
    except msgspec.ValidationError:
        return None
    prompts, answered, totals, thoughts = numbers
    if prompts is None or answered is None or totals is None or max(prompts) > LONG_PROMPT:
        return None
    return PlainSums(sum(prompts), sum(answered), sum(totals), None if thoughts is None else sum(thoughts))
