"""Answers of the emulated models: the same answer for the same request, marked as the emulator's.

An answer depends on nothing else, neither on the job nor on the position of the row nor on the clock.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct

from batchctl.emulator.row_hashes import request_hash
from batchctl.emulator.samples import sample
from batchctl.emulator.token_counts import prompt_tokens, text_of, tokens_of
from batchctl.emulator.wire import JsonObject

DEFAULT_DIMENSIONS = 768
_MOST_DIMENSIONS = 3072
_MOST_CANDIDATES = 8
ROLES = frozenset({"user", "model", "function"})
ANY_ROLE = ROLES | {""}
"""Also the absent role, which the Gemini Developer API accepts and Vertex AI does not. Source: reference 8.2."""

_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_SAMPLES = {
    "IMAGE": {"mimeType": "image/png", "data": _PIXEL},
    "AUDIO": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": "AAAAAA=="},
    "VIDEO": {"mimeType": "video/mp4", "data": "AAAAAA=="},
}
"""The shortest answer in each modality but text."""


class BadRow(Exception):
    """The request of this row is invalid. Only this row fails, with code 3."""


def check_row(kind: str, request: JsonObject, roles: frozenset[str]) -> None:
    """Raise BadRow when the model would refuse this request of `kind` (`generate` or `embed`)."""
    if kind == "generate":
        _check_generate(request, roles)
    else:
        _check_embed(request)


def plain_embed(request: JsonObject) -> JsonObject:
    """The request with the members of `embedContentConfig` next to `content`, as the older form has them."""
    config = request.get("embedContentConfig")
    return request if config is None else {**request, **config}


def answer_row(kind: str, model: str, request: JsonObject) -> JsonObject:
    """The response to a request that passed `check_row`."""
    bare = request.get("model", model).removeprefix("models/")
    return _generate(bare, request) if kind == "generate" else _embed(bare, request)


def answer_id(model: str, request: object) -> str:
    """The id of the answer of a model to a request, in hex."""
    return hashlib.sha256(model.encode() + request_hash(request)).hexdigest()


def _check_generate(request: JsonObject, roles: frozenset[str]) -> None:
    contents = request.get("contents", [])
    if not contents:
        raise BadRow("* GenerateContentRequest.contents: contents is not specified")
    if any(_role(content) not in roles for content in contents):
        raise BadRow("Please use a valid role: user, model.")
    empty = next((index for index, content in enumerate(contents) if not content.get("parts")), None)
    if empty is not None:
        raise BadRow(f"* GenerateContentRequest.contents[{empty}].parts: contents.parts must not be empty.")
    if "cachedContent" in request and request.keys() & {"systemInstruction", "tools", "toolConfig"}:
        raise BadRow(
            "CachedContent can not be used with GenerateContent request setting system_instruction, tools or"
            " tool_config. Proposed fix: move those values to CachedContent from GenerateContent request."
        )
    if not 1 <= request.get("generationConfig", {}).get("candidateCount", 1) <= _MOST_CANDIDATES:
        raise BadRow(f"* GenerateContentRequest.generation_config.candidate_count: must be 1 to {_MOST_CANDIDATES}")


def _role(content: JsonObject) -> str:
    """The role in lower case: Google's pages for Vertex AI write `USER`, too."""
    role: str = content.get("role", "")
    return role.lower()


def _check_embed(request: JsonObject) -> None:
    if not text_of(request.get("content", {})):
        raise BadRow("* EmbedContentRequest.content: content is not specified")
    if not 1 <= request.get("outputDimensionality", DEFAULT_DIMENSIONS) <= _MOST_DIMENSIONS:
        raise BadRow(f"* EmbedContentRequest.output_dimensionality: must be 1 to {_MOST_DIMENSIONS}")


def _generate(model: str, request: JsonObject) -> JsonObject:
    contents = request["contents"]
    asked = next((text_of(item) for item in reversed(contents) if _role(item) != "model"), "")
    config = request.get("generationConfig", {})
    text = _answer(f"[batchctl emulator] {model} answers to: {asked[:60]}", config)
    count = config.get("candidateCount", 1)
    prompt = prompt_tokens(request)
    answered = tokens_of(text) * count
    content = {"parts": _parts(text, config), "role": "model"}
    return {
        "candidates": [{"content": content, "finishReason": "STOP", "index": index} for index in range(count)],
        "usageMetadata": {
            "promptTokenCount": prompt,
            "candidatesTokenCount": answered,
            "totalTokenCount": prompt + answered,
        },
        "modelVersion": model,
        "responseId": answer_id(model, request)[:22],
    }


def _embed(model: str, request: JsonObject) -> JsonObject:
    """A unit vector derived from the hash of the text; token counts as the model reports them (reference 1.4)."""
    text = text_of(request["content"])
    dimensions = request.get("outputDimensionality", DEFAULT_DIMENSIONS)
    seed = "\0".join((model, request.get("taskType", ""), text)).encode()
    numbers = struct.unpack(f"<{dimensions}h", hashlib.shake_256(seed).digest(2 * dimensions))
    length = math.sqrt(sum(number * number for number in numbers)) or 1.0
    reply: JsonObject = {"embedding": {"values": [number / length for number in numbers]}}
    if model.startswith("gemini-embedding-2"):
        return {**reply, "usageMetadata": {"promptTokenCount": tokens_of(text)}}
    return {**reply, "tokenCount": str(tokens_of(text))}


def _parts(text: str, config: JsonObject) -> list[JsonObject]:
    """The text, and a sample of each other modality that was asked for. Text that was not asked for is left out."""
    modalities = config.get("responseModalities", [])
    media: list[JsonObject] = [{"inlineData": _SAMPLES[name]} for name in modalities if name in _SAMPLES]
    return media if media and "TEXT" not in modalities else [{"text": text}, *media]


def _answer(text: str, config: JsonObject) -> str:
    schema = config.get("responseJsonSchema", config.get("responseSchema"))
    mime_type = config.get("responseMimeType")
    if mime_type == "application/json":
        return json.dumps({"emulator": text} if schema is None else sample(schema, text))
    if mime_type == "text/x.enum" and isinstance(schema, dict) and schema.get("enum"):
        return str(schema["enum"][0])
    return text
