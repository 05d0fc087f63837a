"""The verdict on an answer of another publisher's model, such as Claude, by the form that it has.

Two forms are known: messages with a `stop_reason`, and chat completions with `choices`. Of any other form an answer is
good when there is one. Source: reference chapter 16; the publishers' own documents.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from batchctl.model.json_value import Json
from batchctl.model.verdicts import RowVerdict

_REASONS: Mapping[str, RowVerdict] = {
    "end_turn": RowVerdict.OK,
    "stop_sequence": RowVerdict.OK,
    "tool_use": RowVerdict.OK,
    "stop": RowVerdict.OK,
    "tool_calls": RowVerdict.OK,
    "function_call": RowVerdict.OK,
    "max_tokens": RowVerdict.MAX_TOKENS,
    "model_context_window_exceeded": RowVerdict.MAX_TOKENS,
    "length": RowVerdict.MAX_TOKENS,
    "refusal": RowVerdict.SAFETY,
    "content_filter": RowVerdict.SAFETY,
    "pause_turn": RowVerdict.CONTINUATION,
}
_CALLS = ("tool_calls", "function_call")
_TEXTS = ("text", "content", "output_text")
_DEEPEST = 8
"""Levels of content that are searched for text."""


def is_partner_answer(response: Mapping[str, Json]) -> bool:
    """Whether an answer has one of the known forms."""
    return any(_messages(response))


def partner_verdict(response: Mapping[str, Json]) -> RowVerdict:
    """The verdict on such an answer: one good message is enough."""
    found = [_message(reason, content) for reason, content in _messages(response)]
    return RowVerdict.OK if RowVerdict.OK in found else found[0]


def partner_text(response: Mapping[str, Json]) -> str | None:
    """The text of the first message that has one; None if there is none."""
    return next((text for _, content in _messages(response) if (text := "".join(_texts(content)))), None)


def _messages(response: Mapping[str, Json]) -> Iterator[tuple[Json, Json]]:
    """Each message as its reason to stop and its content."""
    body = response.get("body")
    inner = body if isinstance(body, Mapping) else response
    if "stop_reason" in inner or inner.get("type") == "message":
        yield inner.get("stop_reason"), inner.get("content")
    choices = inner.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, Mapping):
            message = choice.get("message")
            yield choice.get("finish_reason"), message if message is not None else choice.get("text")


def _message(reason: Json, content: Json) -> RowVerdict:
    if isinstance(reason, str) and reason:
        found = _REASONS.get(reason.lower(), RowVerdict.UNKNOWN_FINISH_REASON)
        if found is not RowVerdict.OK:
            return found
    return RowVerdict.OK if _has_content(content) else RowVerdict.NO_TEXT


def _has_content(content: Json) -> bool:
    """Whether there is a text that is not blank, or a call of a tool."""
    if isinstance(content, str):
        return bool(content.strip())
    if isinstance(content, list):
        return any(map(_has_content, content))
    if not isinstance(content, Mapping):
        return False
    is_call = content.get("type") == "tool_use" or any(content.get(name) for name in _CALLS)
    return is_call or any(_has_content(content.get(name)) for name in _TEXTS)


def _texts(content: Json, depth: int = _DEEPEST) -> Iterator[str]:
    """The texts of a message's content, in their order."""
    if isinstance(content, str):
        yield content
    elif depth and isinstance(content, list):
        for one in content:
            yield from _texts(one, depth - 1)
    elif depth and isinstance(content, Mapping):
        for name in _TEXTS:
            yield from _texts(content.get(name), depth - 1)
