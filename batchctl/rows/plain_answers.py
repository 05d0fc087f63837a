"""Reads the outcomes of rows whose answers have the usual form: one candidate with text, complete, with token counts.

Nearly all answers are so. A compiled type reads them, and checks every value that the verdict depends on. An answer of
any other form, and one whose verdict is not `OK`, is judged member by member.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from batchctl.model.json_value import Json
from batchctl.model.verdicts import RowVerdict
from batchctl.rows.expectation import AnswerForm, Expectation
from batchctl.rows.plain_usage import PlainUsage
from batchctl.rows.verdict import text_verdict


class _Part(Struct, gc=False, forbid_unknown_fields=True):
    text: str
    thoughtSignature: str = ""  # noqa: N815 - names of the API


class _Content(Struct, gc=False):
    parts: list[_Part]


class _Candidate(Struct, gc=False):
    content: _Content
    finishReason: Literal["STOP"]  # noqa: N815


class _Answer(Struct, gc=False, kw_only=True):
    candidates: Annotated[list[_Candidate], Meta(min_length=1, max_length=1)]
    modelVersion: str  # noqa: N815
    embedding: UnsetType = UNSET
    """An answer with a vector has another form."""
    embeddings: UnsetType = UNSET
    predictions: UnsetType = UNSET
    modelStatus: dict[str, Json] | UnsetType = UNSET  # noqa: N815


class PlainAnswer(_Answer, gc=False, kw_only=True):
    """An answer of the usual form."""

    usageMetadata: dict[str, Json]  # noqa: N815


class CountedAnswer(_Answer, gc=False, kw_only=True):
    """The same with the counts of usual answers."""

    usageMetadata: PlainUsage  # noqa: N815


class _Outcome(Struct, gc=False, forbid_unknown_fields=True):
    response: PlainAnswer


class _CountedOutcome(Struct, gc=False, forbid_unknown_fields=True):
    response: CountedAnswer


_TEXT = frozenset({"TEXT"})
_DECODER = msgspec.json.Decoder(_Outcome)
_OTHER_FORM = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_COUNTED_DECODER = msgspec.json.Decoder(_CountedOutcome)


def are_good(answers: Sequence[PlainAnswer] | Sequence[CountedAnswer], expected: Expectation) -> bool:
    """Whether the verdict on each of these answers is certain to be `OK`."""
    if not may_be_good(expected):
        return False
    found = [answer.candidates[0].content.parts for answer in answers]
    texts = [parts[0].text if len(parts) == 1 else "".join([part.text for part in parts]) for parts in found]
    return are_good_texts(texts, expected)


def may_be_good(expected: Expectation) -> bool:
    """Whether an answer with nothing but text can be what was asked for."""
    return expected.form is not AnswerForm.EMBEDDED and expected.modalities <= _TEXT


def are_good_texts(texts: Sequence[str], expected: Expectation) -> bool:
    """Whether the verdict on complete answers with these texts is certain to be `OK`, if `may_be_good`."""
    if not all(map(str.strip, texts)):
        return False
    is_any_text = expected.choices is None and not expected.is_json
    return is_any_text or all(text_verdict(text, expected) is RowVerdict.OK for text in texts)


def read_all_plain(outcomes: bytes) -> Sequence[PlainAnswer] | Sequence[CountedAnswer] | None:
    """The answers in outcomes, one on each line, counted ones if all are so; None if one has another form."""
    try:
        return [outcome.response for outcome in _COUNTED_DECODER.decode_lines(outcomes)]
    except _OTHER_FORM:
        pass
    try:
        return [outcome.response for outcome in _DECODER.decode_lines(outcomes)]
    except _OTHER_FORM:
        return None


def read_plain(outcome: bytes) -> PlainAnswer | None:
    """The answer in an outcome; None if it has another form."""
    try:
        return _DECODER.decode(outcome).response
    except _OTHER_FORM:
        return None
