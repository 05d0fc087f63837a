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
from batchctl.rows.verdict import text_verdict


class _Part(Struct, gc=False, forbid_unknown_fields=True):
    text: str
    thoughtSignature: str = ""  # noqa: N815 - names of the API


class _Content(Struct, gc=False):
    parts: list[_Part]


class _Candidate(Struct, gc=False):
    content: _Content
    finishReason: Literal["STOP"]  # noqa: N815


class PlainAnswer(Struct, gc=False):
    """An answer of the usual form."""

    candidates: Annotated[list[_Candidate], Meta(min_length=1, max_length=1)]
    usageMetadata: dict[str, Json]  # noqa: N815
    modelVersion: str  # noqa: N815
    embedding: UnsetType = UNSET
    """An answer with a vector has another form."""
    embeddings: UnsetType = UNSET
    predictions: UnsetType = UNSET
    modelStatus: dict[str, Json] | UnsetType = UNSET  # noqa: N815

    @property
    def text(self) -> str:
        """The text of the candidate."""
        parts = self.candidates[0].content.parts
        return parts[0].text if len(parts) == 1 else "".join([part.text for part in parts])


class _Outcome(Struct, gc=False, forbid_unknown_fields=True):
    response: PlainAnswer


_TEXT = frozenset({"TEXT"})
_DECODER = msgspec.json.Decoder(_Outcome)


def are_good(answers: Sequence[PlainAnswer], expected: Expectation) -> bool:
    """Whether the verdict on each of these answers is certain to be `OK`."""
    if expected.form is AnswerForm.EMBEDDED or not expected.modalities <= _TEXT:
        return False
    texts = [answer.text for answer in answers]
    if not all(map(str.strip, texts)):
        return False
    is_any_text = expected.choices is None and not expected.is_json
    return is_any_text or all(text_verdict(text, expected) is RowVerdict.OK for text in texts)


def read_all_plain(outcomes: bytes) -> Sequence[PlainAnswer] | None:
    """The answers in outcomes, one on each line; None if one has another form."""
    try:
        return [outcome.response for outcome in _DECODER.decode_lines(outcomes)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def read_plain(outcome: bytes) -> PlainAnswer | None:
    """The answer in an outcome; None if it has another form."""
    try:
        return _DECODER.decode(outcome).response
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
