"""Member names of requests in the APIs' one spelling.

Owns which snake_case names we know. The servers take both spellings, so the two must count as the same work; names
that we do not know are left as they stand. Source: reference chapter 7 and 8.1.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind
from batchctl.model.request.catalogue import ROOTS
from batchctl.model.request.spelling import snake_case, spellings

_GENERATE_MEMBERS = (
    "model",
    "contents",
    "systemInstruction",
    "generationConfig",
    "safetySettings",
    "tools",
    "toolConfig",
    "cachedContent",
    "labels",
    "serviceTier",
    "store",
    "continuationToken",
)
_EMBED_MEMBERS = ("model", "content", "taskType", "title", "outputDimensionality")
_CONFIG_MEMBERS = (
    "temperature",
    "topP",
    "topK",
    "candidateCount",
    "maxOutputTokens",
    "stopSequences",
    "responseLogprobs",
    "logprobs",
    "presencePenalty",
    "frequencyPenalty",
    "seed",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "responseModalities",
    "mediaResolution",
    "speechConfig",
    "thinkingConfig",
    "imageConfig",
    "enableEnhancedCivicAnswers",
    "audioTranscriptionConfig",
)


def _by_snake_case(names: Iterable[str]) -> dict[str, str]:
    spelled = {snake_case(name): name for name in names}
    return {snake: camel for snake, camel in spelled.items() if snake != camel}


_SNAKE_MEMBERS: Mapping[Kind, Mapping[str, str]] = {
    Kind.BATCH_JOB: _by_snake_case(_GENERATE_MEMBERS),
    Kind.EMBEDDINGS_BATCH_JOB: _by_snake_case(_EMBED_MEMBERS),
}
_SNAKE_CONFIG = _by_snake_case(_CONFIG_MEMBERS)


def request_members(kind: Kind) -> Collection[str]:
    """The names of a request's members, in both spellings."""
    return spellings(ROOTS[kind].name).keys()


def spell_request(request: Mapping[str, Json], kind: Kind) -> dict[str, Json]:
    """The request with the known names of its own and of generationConfig's members in camelCase.

    Raises ValueError where both spellings of a name stand side by side.
    """
    spelled = _spell(request, _SNAKE_MEMBERS[kind])
    config = spelled.get("generationConfig")
    if isinstance(config, Mapping):
        spelled["generationConfig"] = _spell(config, _SNAKE_CONFIG)
    return spelled


def _spell(value: Mapping[str, Json], names: Mapping[str, str]) -> dict[str, Json]:
    if value.keys().isdisjoint(names):
        return dict(value)
    for snake, camel in names.items():
        if snake in value and camel in value:
            raise ValueError(f"both {snake} and {camel} are given: keep one")
    return {names.get(name, name): member for name, member in value.items()}


def with_lists(request: Mapping[str, Json]) -> Mapping[str, Json]:
    """The request with a list where one content or one part stands alone, as in Google's own samples.

    The servers take both; but Vertex's importer fails a whole job whose rows do not all have the same.
    """
    found = dict(request)
    if isinstance(found.get("contents"), Mapping):
        found["contents"] = [found["contents"]]
    if isinstance(found.get("contents"), list):
        found["contents"] = [_with_parts(content) for content in found["contents"]]
    for name in ("content", "systemInstruction"):
        if name in found:
            found[name] = _with_parts(found[name])
    return found


def _with_parts(content: Json) -> Json:
    alone = isinstance(content, Mapping) and isinstance(content.get("parts"), Mapping)
    return {**content, "parts": [content["parts"]]} if alone else content
