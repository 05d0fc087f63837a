"""Reads the outcomes of rows whose answers have the usual form: one candidate with text, complete, with token counts.

Nearly all answers are so. A compiled type reads them, and checks every value that the verdict depends on. An answer of
any other form, and one whose verdict is not `OK`, is judged member by member.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, Struct, UnsetType

from batchctl.model.desired import Json
from batchctl.model.verdicts import RowVerdict
from batchctl.rows.expectation import AnswerForm, Expectation
from batchctl.rows.verdict import text_verdict

_DONE = "STOP"


class _Part(Struct, forbid_unknown_fields=True):
    text: str
    thoughtSignature: str = ""  # noqa: N815 - names of the API


class _Content(Struct):
    parts: list[_Part]


class _Candidate(Struct):
    content: _Content
    finishReason: str  # noqa: N815


class PlainAnswer(Struct):
    """An answer of the usual form."""

    candidates: list[_Candidate]
    usageMetadata: dict[str, Json]  # noqa: N815
    modelVersion: str  # noqa: N815
    embedding: Json | UnsetType = UNSET
    embeddings: Json | UnsetType = UNSET
    predictions: Json | UnsetType = UNSET

    def is_good(self, expected: Expectation) -> bool:
        """Whether the verdict is certain to be `OK`."""
        if len(self.candidates) != 1 or self.candidates[0].finishReason != _DONE or self._has_vectors:
            return False
        if expected.form is AnswerForm.EMBEDDED or not expected.modalities <= _TEXT:
            return False
        text = "".join([part.text for part in self.candidates[0].content.parts])
        return bool(text.strip()) and text_verdict(text, expected) is RowVerdict.OK

    @property
    def _has_vectors(self) -> bool:
        return not (self.embedding is UNSET and self.embeddings is UNSET and self.predictions is UNSET)


class _Outcome(Struct, forbid_unknown_fields=True):
    response: PlainAnswer


_TEXT = frozenset({"TEXT"})
_DECODER = msgspec.json.Decoder(_Outcome)


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
