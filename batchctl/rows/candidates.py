"""The candidates of an answer, their parts and their texts, in every form in which the APIs write them. Never fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from batchctl.model.json_value import Json


def candidates_of(response: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    """The candidates of an answer; a single object counts as a list of one."""
    yield from _objects(response.get("candidates"))


def parts_of(candidate: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    """The parts of a candidate's content, thoughts included; a single object counts as a list of one."""
    content = candidate.get("content")
    if isinstance(content, Mapping):
        yield from _objects(content.get("parts"))


def texts_of(parts: Iterable[Mapping[str, Json]]) -> Iterator[str]:
    """The texts of parts that are not thoughts."""
    for part in parts:
        text = part.get("text")
        if isinstance(text, str) and not part.get("thought"):
            yield text


def _objects(found: Json) -> Iterator[Mapping[str, Json]]:
    yield from (one for one in (found if isinstance(found, list) else [found]) if isinstance(one, Mapping))
