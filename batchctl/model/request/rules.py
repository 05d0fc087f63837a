"""Members that one request cannot have together, although each is valid alone (reference chapters 7, 10, 16)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from batchctl.model.json_value import Json
from batchctl.model.keys import Api
from batchctl.model.request.problems import Fault, Problem

_IN_THE_CACHE = ("systemInstruction", "tools", "toolConfig")
"""Members of cached content, which a request that uses it cannot have."""
COMPARED = frozenset({"cachedContent", "candidateCount", "imageSize", "maxOutputTokens", "thinkingBudget"})
"""Members whose values these rules read; of all others they read at most whether they are there."""
_LARGE_IMAGES = frozenset({"2K", "4K"})
_DIGITS = 10
"""Digits of a number of 32 bits."""


def check_together(request: Mapping[str, Json], api: Api | None = None) -> Iterator[Problem]:
    """The problems of a request, defaults included, whose members are spelled in camelCase."""
    yield from _cache(request)
    config = request.get("generationConfig")
    if isinstance(config, Mapping):
        yield from _thinking(config)
    if api is Api.VERTEX:
        yield from _not_in_batch(request)


def most_output(request: Mapping[str, Json]) -> int:
    """The most tokens that the answers to a request may have, members in camelCase; 0 where it sets no bound."""
    config = request.get("generationConfig")
    if not isinstance(config, Mapping):
        return 0
    return _whole(config.get("maxOutputTokens"), 0) * _whole(config.get("candidateCount"), 1)


def _whole(value: Json, default: int) -> int:
    """A number of the wire, which may be a text (`"512"`)."""
    if isinstance(value, str) and value.isdecimal() and len(value) <= _DIGITS:
        return int(value)
    return int(value) if isinstance(value, int | float) else default


def _cache(request: Mapping[str, Json]) -> Iterator[Problem]:
    if request.get("cachedContent") is None:
        return
    for name in _IN_THE_CACHE:
        if request.get(name) is not None:
            text = f'"{name}" cannot be used with "cachedContent"'
            yield Problem(
                (name,), Fault.INVALID_VALUE, text, "put it into the cached content, or leave cachedContent out"
            )


def _not_in_batch(request: Mapping[str, Json]) -> Iterator[Problem]:
    """Members of Vertex AI that its batch jobs do not have (reference chapter 10)."""
    found = _at(request, "generationConfig", "imageConfig", "imageSize")
    if isinstance(found, str) and found in _LARGE_IMAGES:
        text = f'"imageSize" is {found}, and batch jobs on Vertex make no images above 1K'
        yield Problem(("generationConfig", "imageConfig", "imageSize"), Fault.INVALID_VALUE, text, "write 1K")
    tools = request.get("tools")
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        if _at(tool, "retrieval", "vertexRagStore") is not None:
            path = ("tools", index, "retrieval", "vertexRagStore")
            text = '"vertexRagStore" is not supported in batch jobs on Vertex'
            yield Problem(path, Fault.INVALID_VALUE, text, "put what is to be known into the prompt")


def _at(value: Json, *path: str) -> Json:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _thinking(config: Mapping[str, Json]) -> Iterator[Problem]:
    thinking = config.get("thinkingConfig")
    budget = _whole(thinking.get("thinkingBudget"), 0) if isinstance(thinking, Mapping) else 0
    most = _whole(config.get("maxOutputTokens"), 0)
    if 0 < most <= budget:
        text = f'"maxOutputTokens" is {most}, and thinking may use up {budget}: nothing is left for the answer'
        hint = "raise maxOutputTokens above thinkingBudget, or lower thinkingBudget"
        yield Problem(("generationConfig", "maxOutputTokens"), Fault.INVALID_VALUE, text, hint)
