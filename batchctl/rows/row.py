"""One row: from `{key, request}` or `{key, text}` to a request in REST form.

Owns what a row may hold. What is inside a request beyond its first level is the API's to judge.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from difflib import get_close_matches

from batchctl.model.desired import Json, Kind, RequestRow
from batchctl.model.keys import OWN_LABELS
from batchctl.rows.jsonl import SHOWN_LENGTH, shown
from batchctl.rows.spelling import spell_request

KEY_LENGTH = 256
"""Longest key, in characters: it travels in every line both ways and in every message."""

_MEMBERS = ("key", "request", "text")


def parse_row(value: Json, kind: Kind) -> RequestRow:
    """The row that a JSON value describes. Raises ValueError with the reason."""
    if not isinstance(value, Mapping):
        raise ValueError("a row is an object with key and either request or text")  # noqa: TRY004 - one error to catch
    for name in value:
        if name not in _MEMBERS:
            raise ValueError(
                f"unknown member {shown(name)}{_did_you_mean(name)}: a row has key and either request or text"
            )
    key = _key(value)
    if ("request" in value) == ("text" in value):
        raise ValueError("a row has exactly one of request and text")
    if "text" in value:
        return RequestRow(key, _request_of_text(value["text"], kind))
    return RequestRow(key, _request(value["request"], kind))


def _did_you_mean(name: Json) -> str:
    close = get_close_matches(str(name)[:SHOWN_LENGTH], _MEMBERS, n=1)
    return f' (did you mean "{close[0]}"?)' if close else ""


def _key(row: Mapping[str, Json]) -> str:
    if "key" not in row:
        raise ValueError("key is missing")
    key = row["key"]
    if not isinstance(key, str):
        way_out = ": quote it" if isinstance(key, int | float) else ""
        raise ValueError(f"key is {shown(key)}, but has to be a string{way_out}")  # noqa: TRY004 - one error to catch
    if not 0 < len(key) <= KEY_LENGTH:
        raise ValueError(f"key has {len(key)} characters, but has to have 1 to {KEY_LENGTH}")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in key):
        raise ValueError("key has a control character in it")
    return key


def _request_of_text(text: Json, kind: Kind) -> dict[str, Json]:
    if not isinstance(text, str) or not text:
        raise ValueError("text has to be a string that is not empty")
    parts = [{"text": text}]
    if kind is Kind.EMBEDDINGS_BATCH_JOB:
        return {"content": {"parts": parts}}
    return {"contents": [{"role": "user", "parts": parts}]}


def _request(value: Json, kind: Kind) -> dict[str, Json]:
    if not isinstance(value, Mapping):
        raise ValueError("request has to be an object in the API's REST form")  # noqa: TRY004 - one error to catch
    request = spell_request(value, kind)
    labels = request.get("labels")
    own = sorted(name for name in labels if str(name).startswith(OWN_LABELS)) if isinstance(labels, Mapping) else []
    if own:
        raise ValueError(f"request.labels.{own[0]} is batchctl's own: choose a name that does not begin so")
    if kind is Kind.EMBEDDINGS_BATCH_JOB:
        if not isinstance(request.get("content"), Mapping):
            other = "; request.contents is for a BatchJob" if "contents" in request else ""
            raise ValueError(f"request.content is missing or not an object{other}")
    elif not isinstance(request.get("contents"), list) or not request["contents"]:
        other = "; request.content is for an EmbeddingsBatchJob" if "content" in request else ""
        raise ValueError(f"request.contents is missing or not a list with at least one content{other}")
    return request
