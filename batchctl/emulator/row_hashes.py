"""Hashes of rows: of the request, which shows what was sent again, and of the prompt, which chooses outcomes.

Neither depends on the row's key or position, or on the labels that batchctl adds. Equal values in another spelling
(the order of members, `1.0` for `1`) have equal hashes.
"""

from __future__ import annotations

import hashlib
import json

from batchctl.emulator.wire import JsonObject

HASH_LENGTH = 16
"""The length of a hash in bytes."""
_OWN_LABELS = "batchctl-"
"""The prefix of the labels that batchctl adds to a request."""
_WHOLE_FLOATS = (".0", "e+")
"""Marks of floats that equal an integer, as JSON shows them. Texts may contain them, too."""
_PROMPT = ("contents", "systemInstruction", "content")


def request_hash(request: object) -> bytes:
    """The hash of the request without batchctl's own labels."""
    return _hash(_without_own_labels(request))


def prompt_hash(request: object) -> bytes:
    """The hash of the request's contents and system instruction: the same for another model or `maxOutputTokens`."""
    if not isinstance(request, dict) or not request.keys() & set(_PROMPT):
        return request_hash(request)
    return _hash({name: request[name] for name in _PROMPT if name in request})


def _without_own_labels(request: object) -> object:
    labels = request.get("labels") if isinstance(request, dict) else None
    if not isinstance(request, dict) or not isinstance(labels, dict):
        return request
    kept = {name: value for name, value in labels.items() if not name.startswith(_OWN_LABELS)}
    rest: JsonObject = {name: value for name, value in request.items() if name != "labels"}
    return {**rest, "labels": kept} if kept else rest


def _hash(value: object) -> bytes:
    text = _text(value)
    if any(mark in text for mark in _WHOLE_FLOATS):
        text = _text(_plain(value))
    return hashlib.sha256(text.encode()).digest()[:HASH_LENGTH]


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _plain(value: object) -> object:
    """The value with integers in place of equal floats."""
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
