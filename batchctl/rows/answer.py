"""The text or the vector of an answer, in every form in which the APIs write one. Never fails."""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.json_value import Json
from batchctl.rows.candidates import candidates_of, parts_of, texts_of
from batchctl.rows.expectation import member
from batchctl.rows.partner_verdict import partner_text
from batchctl.rows.verdict import is_vector, vectors


def answer_text(response: Mapping[str, Json]) -> str | None:
    """The text of the first candidate that has one, without thoughts; None if no candidate has text."""
    for candidate in candidates_of(response):
        text = "".join(texts_of(parts_of(candidate)))
        if text:
            return text
    return partner_text(response)


def finish_reason(response: Mapping[str, Json]) -> str | None:
    """The reason why the answer with this text ended, or the first candidate's."""
    candidates = list(candidates_of(response))
    chosen = next((one for one in candidates if any(texts_of(parts_of(one)))), candidates[0] if candidates else {})
    reason = member(chosen, "finishReason")
    return None if reason is None else str(reason)


def answer_vector(response: Mapping[str, Json]) -> tuple[float, ...] | None:
    """The first embedding of an answer; None if there is none."""
    for values in vectors(response):
        if is_vector(values):
            try:
                return tuple(map(float, values))
            except OverflowError:
                continue
    return None


def message_of(outcome: Mapping[str, Json]) -> str:
    """The words of the API about a result that is not good; empty if there are none."""
    error, response = outcome.get("error"), outcome.get("response")
    if isinstance(error, Mapping):
        return _words(error.get("message"))
    return block_reason(response) if isinstance(response, Mapping) else ""


def block_reason(response: Mapping[str, Json]) -> str:
    """Why the API blocked a prompt or stopped an answer, in its own words; empty if it does not say."""
    feedback = member(response, "promptFeedback")
    if isinstance(feedback, Mapping):
        said = (_words(member(feedback, name)) for name in ("blockReason", "blockReasonMessage"))
        return ": ".join(filter(None, said))
    first = next(iter(candidates_of(response)), None)
    return "" if first is None else _words(member(first, "finishMessage"))


def _words(value: Json) -> str:
    return value if isinstance(value, str) else ""
