"""The verdicts on the rows of a job: whether each row has a good answer, and if not, why.

The codes are stable, because programs match on them. `meaning` is for people, and makes up `docs/verdicts.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Self


class VerdictGroup(Enum):
    """The subject of a verdict."""

    GOOD = "The row has the answer that its request asked for"
    FINISH = "The model stopped early (`finishReason`)"
    ANSWER = "The answer is not what the request asked for"
    ERROR = "The API gave an error for the row"
    NOTHING = "The API gave nothing for the row"


class RowVerdict(StrEnum):
    """The verdict on one row."""

    group: VerdictGroup
    meaning: str
    is_transient: bool
    """Whether the same request may get a good answer when it is sent again."""

    def __new__(cls, value: str, group: VerdictGroup, meaning: str, is_transient: bool) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.group, member.meaning, member.is_transient = group, meaning, is_transient
        return member

    OK = ("OK", VerdictGroup.GOOD, "A complete answer with the parts that were asked for.", False)

    MAX_TOKENS = ("MAX_TOKENS", VerdictGroup.FINISH, "The answer reached `maxOutputTokens` and is cut off.", False)
    SAFETY = ("SAFETY", VerdictGroup.FINISH, "Safety filters stopped the answer.", False)
    RECITATION = ("RECITATION", VerdictGroup.FINISH, "The answer repeated a source too closely.", False)
    LANGUAGE = ("LANGUAGE", VerdictGroup.FINISH, "The answer was in a language that is not supported.", False)
    BLOCKLIST = ("BLOCKLIST", VerdictGroup.FINISH, "The answer had a term from a blocklist.", False)
    PROHIBITED_CONTENT = ("PROHIBITED_CONTENT", VerdictGroup.FINISH, "The answer had prohibited content.", False)
    SPII = ("SPII", VerdictGroup.FINISH, "The answer had sensitive personal data.", False)
    MODEL_ARMOR = ("MODEL_ARMOR", VerdictGroup.FINISH, "Model Armor stopped the answer.", False)
    IMAGE_SAFETY = ("IMAGE_SAFETY", VerdictGroup.FINISH, "Safety filters stopped the image.", False)
    IMAGE_PROHIBITED_CONTENT = (
        "IMAGE_PROHIBITED_CONTENT",
        VerdictGroup.FINISH,
        "The image had prohibited content.",
        False,
    )
    IMAGE_RECITATION = ("IMAGE_RECITATION", VerdictGroup.FINISH, "The image repeated a source too closely.", False)
    IMAGE_OTHER = (
        "IMAGE_OTHER",
        VerdictGroup.FINISH,
        "The image failed for a reason that the API does not give.",
        True,
    )
    NO_IMAGE = ("NO_IMAGE", VerdictGroup.FINISH, "The model was to make an image, and made none.", True)
    MALFORMED_FUNCTION_CALL = (
        "MALFORMED_FUNCTION_CALL",
        VerdictGroup.FINISH,
        "The model wrote a function call that is not valid.",
        True,
    )
    MALFORMED_RESPONSE = ("MALFORMED_RESPONSE", VerdictGroup.FINISH, "The model's answer is not valid.", True)
    UNEXPECTED_TOOL_CALL = (
        "UNEXPECTED_TOOL_CALL",
        VerdictGroup.FINISH,
        "The model called a tool that the request does not have.",
        True,
    )
    TOO_MANY_TOOL_CALLS = ("TOO_MANY_TOOL_CALLS", VerdictGroup.FINISH, "The model called tools too often.", True)
    MISSING_THOUGHT_SIGNATURE = (
        "MISSING_THOUGHT_SIGNATURE",
        VerdictGroup.FINISH,
        "An earlier turn in the request lacks its `thoughtSignature`.",
        False,
    )
    ESCALATION = ("ESCALATION", VerdictGroup.FINISH, "The model passed the request on and did not answer it.", False)
    PUP_LIMITED_DISABLED = (
        "PUP_LIMITED_DISABLED",
        VerdictGroup.FINISH,
        "The use is limited by policy, and the model is disabled for it.",
        False,
    )
    CONTINUATION = ("CONTINUATION", VerdictGroup.FINISH, "The answer goes on in a further call.", False)
    OTHER = ("OTHER", VerdictGroup.FINISH, "The model stopped for a reason that the API does not give.", True)
    UNKNOWN_FINISH_REASON = (
        "UNKNOWN_FINISH_REASON",
        VerdictGroup.FINISH,
        "The finish reason is one that this release of batchctl does not know.",
        False,
    )

    PROMPT_BLOCKED = ("PROMPT_BLOCKED", VerdictGroup.ANSWER, "The API blocked the prompt (`promptFeedback`).", False)
    NO_CANDIDATE = ("NO_CANDIDATE", VerdictGroup.ANSWER, "The response has no candidate.", True)
    NO_TEXT = ("NO_TEXT", VerdictGroup.ANSWER, "The answer has no text.", True)
    THOUGHTS_ONLY = ("THOUGHTS_ONLY", VerdictGroup.ANSWER, "The answer has thoughts and nothing else.", True)
    MISSING_MODALITY = (
        "MISSING_MODALITY",
        VerdictGroup.ANSWER,
        "The answer lacks an image, audio or video that `responseModalities` asked for.",
        True,
    )
    INVALID_JSON = (
        "INVALID_JSON",
        VerdictGroup.ANSWER,
        "The request asked for JSON, and the answer is not valid JSON.",
        True,
    )
    SCHEMA = (
        "SCHEMA",
        VerdictGroup.ANSWER,
        "The answer is JSON that does not match `responseSchema` or `responseJsonSchema`.",
        True,
    )
    NO_VECTOR = ("NO_VECTOR", VerdictGroup.ANSWER, "The response has no embedding.", True)
    WRONG_DIMENSION = (
        "WRONG_DIMENSION",
        VerdictGroup.ANSWER,
        "The embedding has another length than `outputDimensionality`.",
        False,
    )

    CANCELLED = ("CANCELLED", VerdictGroup.ERROR, "The job ended before this row was processed (code 1).", True)
    UNKNOWN = ("UNKNOWN", VerdictGroup.ERROR, "An error that the API does not explain (code 2).", True)
    INVALID_ARGUMENT = ("INVALID_ARGUMENT", VerdictGroup.ERROR, "The request is not valid (code 3).", False)
    DEADLINE_EXCEEDED = ("DEADLINE_EXCEEDED", VerdictGroup.ERROR, "The row took too long (code 4).", True)
    NOT_FOUND = ("NOT_FOUND", VerdictGroup.ERROR, "Something that the request names does not exist (code 5).", False)
    ALREADY_EXISTS = ("ALREADY_EXISTS", VerdictGroup.ERROR, "Something exists already (code 6).", False)
    PERMISSION_DENIED = ("PERMISSION_DENIED", VerdictGroup.ERROR, "Access is denied (code 7).", False)
    RESOURCE_EXHAUSTED = ("RESOURCE_EXHAUSTED", VerdictGroup.ERROR, "A quota is used up (code 8).", True)
    FAILED_PRECONDITION = ("FAILED_PRECONDITION", VerdictGroup.ERROR, "A precondition does not hold (code 9).", False)
    ABORTED = ("ABORTED", VerdictGroup.ERROR, "The API aborted the row (code 10).", True)
    OUT_OF_RANGE = ("OUT_OF_RANGE", VerdictGroup.ERROR, "A value is out of range (code 11).", False)
    UNIMPLEMENTED = ("UNIMPLEMENTED", VerdictGroup.ERROR, "The API does not support the request (code 12).", False)
    INTERNAL = ("INTERNAL", VerdictGroup.ERROR, "An internal error of the API (code 13).", True)
    UNAVAILABLE = ("UNAVAILABLE", VerdictGroup.ERROR, "The service was not available (code 14).", True)
    DATA_LOSS = ("DATA_LOSS", VerdictGroup.ERROR, "The result cannot be read (code 15).", True)
    UNAUTHENTICATED = ("UNAUTHENTICATED", VerdictGroup.ERROR, "The credentials are not valid (code 16).", False)

    NO_RESULT = ("NO_RESULT", VerdictGroup.NOTHING, "The results have no line for this row.", True)
    NOT_SENT = ("NOT_SENT", VerdictGroup.NOTHING, "No attempt has sent this row yet.", True)


FINISH_REASONS: Mapping[str, RowVerdict] = {
    one.value: one
    for one in RowVerdict
    if one.group is VerdictGroup.FINISH and one is not RowVerdict.UNKNOWN_FINISH_REASON
}
"""The finish reasons of answers that are not complete. Source: reference chapter 16."""

_FIRST_ERROR = list(RowVerdict).index(RowVerdict.CANCELLED)
ERRORS: Mapping[int, RowVerdict] = dict(enumerate(list(RowVerdict)[_FIRST_ERROR : _FIRST_ERROR + 16], start=1))
"""The errors by their google.rpc numbers."""

SERVICE_IS_BEING_SET_UP = r"\bservice agents? (?:are|is) (?:still )?being (?:provisioned|created)\b"
"""The words of an error that passes, although its code is FAILED_PRECONDITION: a project's first use (chapter 9)."""

NOT_ANSWERED = frozenset(one.value for one in RowVerdict if one.group in (VerdictGroup.ERROR, VerdictGroup.NOTHING))
"""The codes of rows that got no answer at all."""
