"""The verdict on one row: a pure function of its answer and of what its request asked for.

It never fails, whatever the answer holds. Of several candidates one good one is enough; where none is, the verdict is
that of the first. An answer without a finish reason counts as complete. Source: reference chapters 7, 8 and 16.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import NoReturn

from batchctl.model.json_value import Json
from batchctl.model.pattern import Pattern
from batchctl.model.verdicts import ERRORS, FINISH_REASONS, SERVICE_IS_BEING_SET_UP, RowVerdict
from batchctl.rows.candidates import candidates_of, parts_of, texts_of
from batchctl.rows.expectation import ANYTHING, AnswerForm, Expectation, member
from batchctl.rows.partner_verdict import is_partner_answer, partner_verdict

_DONE = frozenset({"", "STOP", "FINISH_REASON_UNSPECIFIED"})
_FINISH_NUMBERS = {0: "", 1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION", 5: "OTHER"}
"""Enums as numbers, as far as the two APIs agree on them."""
_BLOCK_UNSPECIFIED = frozenset({"", "BLOCK_REASON_UNSPECIFIED", "BLOCKED_REASON_UNSPECIFIED"})
_CALLS = ("functionCall", "function_call", "toolCall", "tool_call")
_MEDIA = ("inlineData", "inline_data", "fileData", "file_data")
_TRANSCRIPTS = ("audioTranscription", "audio_transcription")
_GENERATED = ("candidates", "promptFeedback", "prompt_feedback")
_EMBEDDED = ("embedding", "embeddings", "predictions")
_OF_EVERY_ANSWER = frozenset({"usageMetadata", "modelVersion", "responseId", "createTime", "modelStatus", "tokenCount"})
_BY_HTTP = {400: 3, 401: 16, 403: 7, 404: 5, 409: 10, 429: 8, 499: 1, 500: 13, 501: 12, 502: 14, 503: 14, 504: 4}
_UNKNOWN_ERROR = 2
_SET_UP = Pattern(SERVICE_IS_BEING_SET_UP, re.IGNORECASE)


def verdict(
    response: Mapping[str, Json] | None, error: Mapping[str, Json] | None, expected: Expectation = ANYTHING
) -> RowVerdict:
    """The verdict on a row with this answer, or with this error."""
    if response is None:
        return error_verdict(error or {})
    if expected.form is AnswerForm.EMBEDDED or _has(response, _EMBEDDED):
        return _embedded(response, expected)
    if _has(response, _GENERATED):
        return _generated(response, expected)
    if is_partner_answer(response):
        return partner_verdict(response)
    is_empty = not any(response.get(name) for name in response.keys() - _OF_EVERY_ANSWER)
    return RowVerdict.NO_CANDIDATE if is_empty or expected.form is AnswerForm.GENERATED else RowVerdict.OK


def error_verdict(error: Mapping[str, Json]) -> RowVerdict:
    """The verdict on a row with an error: by the name of its status, by its google.rpc number, or by that of HTTP.

    An error of a project that is still being set up passes, whatever its code is.
    """
    message = error.get("message")
    if isinstance(message, str) and _SET_UP.search(message):
        return RowVerdict.UNAVAILABLE
    names = {one.value: one for one in ERRORS.values()}
    for name in (error.get("status"), error.get("code")):
        if isinstance(name, str) and name.upper() in names:
            return names[name.upper()]
    code = error.get("code")
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) <= len("400"):
        code = int(code)
    if isinstance(code, bool) or not isinstance(code, int):
        code = _UNKNOWN_ERROR
    return ERRORS.get(_BY_HTTP.get(code, code), RowVerdict.UNKNOWN)


def _has(response: Mapping[str, Json], names: tuple[str, ...]) -> bool:
    return any(response.get(name) is not None for name in names)


def _generated(response: Mapping[str, Json], expected: Expectation) -> RowVerdict:
    found = [_candidate(one, expected) for one in candidates_of(response)]
    if RowVerdict.OK in found:
        return RowVerdict.OK
    feedback = member(response, "promptFeedback")
    reason = member(feedback, "blockReason") if isinstance(feedback, Mapping) else None
    if reason and str(reason) not in _BLOCK_UNSPECIFIED:
        return RowVerdict.PROMPT_BLOCKED
    return found[0] if found else RowVerdict.NO_CANDIDATE


def _candidate(candidate: Mapping[str, Json], expected: Expectation) -> RowVerdict:
    reason = member(candidate, "finishReason")
    if isinstance(reason, int) and not isinstance(reason, bool):
        reason = _FINISH_NUMBERS.get(reason, str(reason))
    name = reason.upper() if isinstance(reason, str) else ""
    if name not in _DONE:
        return FINISH_REASONS.get(name, RowVerdict.UNKNOWN_FINISH_REASON)
    return _content(list(parts_of(candidate)), expected)


def _content(parts: list[Mapping[str, Json]], expected: Expectation) -> RowVerdict:
    answer = [part for part in parts if not part.get("thought")]
    if expected.may_call and any(part.get(name) is not None for part in answer for name in _CALLS):
        return RowVerdict.OK
    media = {kind for part in answer for kind in _media_kinds(part)}
    wanted = expected.modalities - {"TEXT"}
    if wanted:
        return RowVerdict.OK if wanted <= media else RowVerdict.MISSING_MODALITY
    text = "".join(texts_of(answer))
    if text.strip():
        return text_verdict(text, expected)
    if not expected.modalities and (media or any(part.get(name) for part in answer for name in _TRANSCRIPTS)):
        return RowVerdict.OK
    return RowVerdict.THOUGHTS_ONLY if parts and not answer else RowVerdict.NO_TEXT


def _media_kinds(part: Mapping[str, Json]) -> Iterator[str]:
    """The modality of a part that holds media."""
    for name in _MEDIA:
        data = part.get(name)
        if isinstance(data, Mapping) and any(data.get(inner) for inner in ("data", "fileUri", "file_uri")):
            yield str(member(data, "mimeType") or "").partition("/")[0].upper()


def text_verdict(text: str, expected: Expectation) -> RowVerdict:
    """The verdict on a complete answer with this text, which is not blank."""
    if expected.choices is not None:
        return RowVerdict.OK if text.strip() in expected.choices else RowVerdict.SCHEMA
    if not expected.is_json:
        return RowVerdict.OK
    try:
        value = json.loads(text, parse_constant=_refuse, parse_int=_number)
    except (ValueError, RecursionError):
        return RowVerdict.INVALID_JSON
    return RowVerdict.OK if expected.schema is None or expected.schema.matches(value) else RowVerdict.SCHEMA


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _number(digits: str) -> int | float:
    """A whole number; one of thousands of digits is JSON too, and becomes a float."""
    try:
        return int(digits)
    except ValueError:
        return float(digits)


def _embedded(response: Mapping[str, Json], expected: Expectation) -> RowVerdict:
    found = list(vectors(response))
    if not found or not all(map(is_vector, found)):
        return RowVerdict.NO_VECTOR
    is_right = expected.dimensions is None or all(len(vector) == expected.dimensions for vector in found)
    return RowVerdict.OK if is_right else RowVerdict.WRONG_DIMENSION


def vectors(response: Mapping[str, Json]) -> Iterator[Json]:
    """The values of each embedding, in all places where the APIs write them (reference 1.4, 8.1, 8.2)."""
    for name in _EMBEDDED:
        found = response.get(name)
        for one in found if isinstance(found, list) else [found]:
            inner = one.get("embeddings") if isinstance(one, Mapping) and name == "predictions" else one
            if isinstance(inner, Mapping):
                yield inner.get("values")


def is_vector(values: Json) -> bool:
    """Whether the values are a list of finite numbers."""
    return isinstance(values, list) and bool(values) and all(map(_is_number, values))


def _is_number(value: Json) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)
