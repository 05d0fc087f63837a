"""Tokens as the emulated models count them: the same for a request by itself and for the row of a job."""

from __future__ import annotations

from collections.abc import Iterable

from batchctl.emulator.wire import JsonObject


def text_of(content: JsonObject) -> str:
    """The text of all parts of a content."""
    return "".join(part.get("text", "") for part in content.get("parts", []))


def tokens_of(text: str) -> int:
    """About four characters per token, at least one token: stable, but not exact."""
    return max(1, -(-len(text) // 4))


def prompt_tokens(request: JsonObject) -> int:
    """The tokens of the prompt of a generate request: its system instruction and its contents."""
    return _tokens_of_all([request.get("systemInstruction", {}), *request.get("contents", [])])


def count_reply(request: JsonObject) -> JsonObject:
    """The reply to `countTokens` for the contents of a request. Source: the REST references, `countTokens`."""
    tokens = prompt_tokens(request)
    return {"totalTokens": tokens, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}]}


def _tokens_of_all(contents: Iterable[JsonObject]) -> int:
    return tokens_of("".join(map(text_of, contents)))
