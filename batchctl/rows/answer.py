"""The text or the vector of an answer, in every form in which the APIs write one. Never fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from batchctl.model.desired import Json
from batchctl.rows.partner_verdict import partner_text
from batchctl.rows.verdict import is_vector, vectors


def answer_text(response: Mapping[str, Json]) -> str | None:
    """The text of the first candidate that has one, without thoughts; None if no candidate has text."""
    for candidate in _candidates(response):
        text = "".join(_texts(candidate))
        if text:
            return text
    return partner_text(response)


def finish_reason(response: Mapping[str, Json]) -> str | None:
    """The reason why the answer with this text ended, or the first candidate's."""
    candidates = list(_candidates(response))
    chosen = next((one for one in candidates if any(_texts(one))), candidates[0] if candidates else {})
    for name in ("finishReason", "finish_reason"):
        if chosen.get(name) is not None:
            return str(chosen[name])
    return None


def answer_vector(response: Mapping[str, Json]) -> tuple[float, ...] | None:
    """The first embedding of an answer; None if there is none."""
    for values in vectors(response):
        if is_vector(values):
            try:
                return tuple(map(float, values))
            except OverflowError:
                continue
    return None


def _candidates(response: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    found = response.get("candidates")
    yield from (one for one in (found if isinstance(found, list) else [found]) if isinstance(one, Mapping))


def _texts(candidate: Mapping[str, Json]) -> Iterator[str]:
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, Mapping) else None
    for part in parts if isinstance(parts, list) else [parts]:
        if isinstance(part, Mapping) and isinstance(part.get("text"), str) and not part.get("thought"):
            yield part["text"]
