"""One row: from any form that the APIs document, or `{key, text}`, to a request in REST form.

Owns what a row may hold. What is inside a request beyond its first level is the API's to judge. Forms, by the member
that holds the request: `request` (both APIs), `text` (our own), `contents` or `content` (the request itself, or an
SDK's with `config`), and `body` (a line for another publisher's model). Source: reference chapters 7, 8 and 16.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from functools import lru_cache

from batchctl.model.errors import UnknownRowForm
from batchctl.model.json_value import Json
from batchctl.model.keys import OWN_LABELS
from batchctl.model.kinds import Kind
from batchctl.model.quoting import shown_json
from batchctl.model.request.catalogue import ROOTS
from batchctl.model.row_marks import position_of_key
from batchctl.model.sources import RequestRow
from batchctl.model.suggest import LONGEST, similar_in_case
from batchctl.rows.sdk_form import request_of_sdk
from batchctl.rows.spelling import request_members, spell_request

KEY_LENGTH = 256
"""Longest key, in characters: it travels in every line both ways and in every message."""

_HOLDERS = {
    Kind.BATCH_JOB: ("request", "text", "contents", "body"),
    Kind.EMBEDDINGS_BATCH_JOB: ("request", "text", "content"),
}
"""Members that hold the request, by kind of row: each row has one of them."""
_FEW = 12
"""Members of a row whose names are remembered."""
_OF_REPLIES = frozenset({"response", "error", "status"})
"""Members that the APIs write into results: a row with one of them would look like a result."""


def parse_row(value: Json, kind: Kind) -> RequestRow:
    """The row that a JSON value describes. Raises ValueError with the reason."""
    if not isinstance(value, Mapping):
        raise UnknownRowForm("a row is an object with a request in it")
    names = tuple(value)
    is_short = len(names) <= _FEW and all(isinstance(name, str) and len(name) <= LONGEST for name in names)
    holder = _known_holder(names, kind) if is_short else _holder(names, kind)
    key = checked_key(value["key"]) if "key" in value else None
    others = {name: member for name, member in value.items() if name not in ("key", holder)}
    match holder:
        case "text":
            request = _request_of_text(value["text"], kind)
        case "request":
            request = _request(value["request"], kind)
        case "body":
            return RequestRow(key, _body(value["body"]), others, in_body=True)
        case _:
            known = {name: others.pop(name) for name in tuple(others) if name in request_members(kind)}
            config = others.pop("config", None)
            request = _request(request_of_sdk({holder: value[holder], **known}, config), kind)
    return _with_metadata(key, request, others)


def _holder(row: Collection[str], kind: Kind) -> str:
    """The member that holds the request, given the names of a row's members. Raises ValueError for wrong names."""
    holders = _HOLDERS[kind]
    found = [name for name in holders if name in row]
    if not found:
        _refuse_foreign(row, kind)
    for name in row:
        if not isinstance(name, str):
            raise ValueError(f"unknown member {shown_json(name)}: names are strings")  # noqa: TRY004 - one error to catch
        if name in _OF_REPLIES:
            raise ValueError(f'a row cannot have "{name}": the API writes it into results')
        if name == "key" or name in holders:
            continue
        wanted = ["key"] if found and "key" not in row else []
        near = similar_in_case(name, wanted if found else [*holders, "key"])
        if near is not None:
            raise ValueError(f'unknown member {shown_json(name)} (did you mean "{near}"?)')
    if len(found) != 1:
        raise UnknownRowForm(f"a row has exactly one of {', '.join(holders[:-1])} and {holders[-1]}")
    return found[0]


def _refuse_foreign(row: Collection[str], kind: Kind) -> None:
    """Raise ValueError for a row in the form of another service, which is named."""
    from batchctl.rows.foreign_rows import foreign_row

    foreign = foreign_row(row, kind)
    if foreign is not None:
        raise ValueError(foreign)


_known_holder = lru_cache(maxsize=256)(_holder)
"""The rows of a file have few sets of names. Errors are not kept."""


def _with_metadata(key: str | None, request: Mapping[str, Json], others: dict[str, Json]) -> RequestRow:
    """An inline row's key may stand in its metadata, where the APIs have it."""
    metadata = others.get("metadata")
    if not isinstance(metadata, Mapping):
        return RequestRow(key, request, others)
    own = sorted(str(name) for name in metadata if str(name).startswith(OWN_LABELS))
    if own:
        raise ValueError(f"metadata.{own[0]} is batchctl's own: choose another prefix")
    if key is None and isinstance(metadata.get("key"), str):
        key = checked_key(metadata["key"])
        kept = {name: member for name, member in metadata.items() if name != "key"}
        others = {name: member for name, member in others.items() if name != "metadata"}
        others |= {"metadata": kept} if kept else {}
    return RequestRow(key, request, others)


def checked_key(key: Json) -> str:
    """The key of a row. Raises ValueError with the reason if it cannot be one."""
    if not isinstance(key, str):
        way_out = ": quote it" if isinstance(key, int | float) else ""
        raise ValueError(f"key is {shown_json(key)}, but has to be a string{way_out}")  # noqa: TRY004 - one error to catch
    if not 0 < len(key) <= KEY_LENGTH:
        raise ValueError(f"key has {len(key)} characters, but has to have 1 to {KEY_LENGTH}")
    if not key.isprintable() and any(unicodedata.category(character) in ("Cc", "Cs") for character in key):
        raise ValueError("key has a control character in it")
    if position_of_key(key) is not None:
        raise ValueError(f"key is {shown_json(key)}, which is batchctl's own name for a row without a key")
    return key


def _request_of_text(text: Json, kind: Kind) -> dict[str, Json]:
    if not isinstance(text, str) or not text:
        raise ValueError("text has to be a string that is not empty")
    parts = [{"text": text}]
    if kind is Kind.EMBEDDINGS_BATCH_JOB:
        return {"content": {"parts": parts}}
    return {"contents": [{"role": "user", "parts": parts}]}


def _body(value: Json) -> dict[str, Json]:
    if not isinstance(value, Mapping) or not value:
        raise ValueError("body has to be an object, the request as the model's publisher documents it")
    return dict(value)


def _request(value: Json, kind: Kind) -> dict[str, Json]:
    if not isinstance(value, Mapping):
        raise ValueError("request has to be an object in the API's REST form")  # noqa: TRY004 - one error to catch
    if kind is Kind.BATCH_JOB and "contents" not in value and value.get("messages"):
        # Another publisher's model, such as Claude, has members of its own.
        return dict(value)
    request = spell_request(value, kind)
    labels = request.get("labels")
    own = sorted(name for name in labels if str(name).startswith(OWN_LABELS)) if isinstance(labels, Mapping) else []
    if own:
        raise ValueError(f"request.labels.{own[0]} is batchctl's own: choose another prefix")
    if kind is Kind.EMBEDDINGS_BATCH_JOB:
        if not isinstance(request.get("content"), Mapping):
            other = "; request.contents is for a BatchJob" if "contents" in request else ""
            raise ValueError(f"request.content is missing or not an object{other}")
    elif isinstance(request.get("contents"), str):
        raise ValueError("request.contents is a string: write contents: [{role: user, parts: [{text: …}]}]")
    elif not isinstance(request.get("contents"), list | Mapping) or not request["contents"]:
        raise ValueError(f"request.contents is missing or not a list with at least one content{_in_its_place(request)}")
    return request


def _in_its_place(request: Mapping[str, Json]) -> str:
    """The name of the contents in another API, and the way to write it; empty where the request has nothing like it."""
    if "content" in request:
        return "; request.content is for an EmbeddingsBatchJob"
    from batchctl.model.request.hints import way_out

    root = ROOTS[Kind.BATCH_JOB]
    foreign = [(name, way_out(name, root)) for name in request if name not in request_members(Kind.BATCH_JOB)]
    return next((f"; for {shown_json(name)} {hint}" for name, hint in foreign if hint.startswith("write contents")), "")
