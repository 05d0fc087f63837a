"""The outcome of a row, in any shape that an API uses: an answer, an error, or neither.

Never fails, and drops nothing: an unknown shape is kept as it came. Both APIs share this module, because guides,
captures and other clients show more shapes than any one of them uses. Source: reference 8.1, 8.2, chapters 9
and 16.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from batchctl.model.json_value import Json
from batchctl.providers.http.failures import RPC_HTTP
from batchctl.providers.job_members import is_number, key_text
from batchctl.providers.untrusted_text import DECODER, as_object, parse_json

_CANCELLED, _UNKNOWN, _INTERNAL = 1, 2, 13
_BY_NAME = {name: number for number, (_, name) in RPC_HTTP.items()} | {
    "UNKNOWN": _UNKNOWN,
    "INTERNAL": _INTERNAL,
    "DATA_LOSS": 15,
}
_NAMES = {number: name for name, number in _BY_NAME.items()}
_BY_HTTP = {500: _INTERNAL} | {http: number for number, (http, _) in reversed(list(RPC_HTTP.items()))}
"""Where several numbers have one status, the first one."""
_FIRST_HTTP_GOOD, _FIRST_HTTP_ERROR = 100, 400

NEVER_PROCESSED: Mapping[str, Json] = {
    "code": _CANCELLED,
    "message": "never processed: the job ended before this row",
}
NOTHING: Mapping[str, Json] = {
    "code": _UNKNOWN,
    "message": "the API gave neither a response nor an error for this row",
}
_ANSWERS = frozenset({"candidates", "promptFeedback", "embedding", "embeddings"})
"""Members that only an answer has: a line with one of them may be the answer itself."""
_OF_ANSWERS = _ANSWERS | {"usageMetadata", "modelVersion", "responseId", "createTime", "modelStatus", "tokenCount"}
_OF_PARTNERS = frozenset({"choices", "content", "output", "predictions", "data"})
"""Members of answers from other publishers' models (reference 8.2, 16)."""
_OTHER_NAMES = ("result", "output", "prediction", "generateContentResponse", "embedContentResponse")
"""Names of the answer in other clients and older APIs."""
_NAME = re.compile(rf"\b(?:{'|'.join(_BY_NAME)})\b")
"""The name of a code in a text without JSON: `A retryable error occurred: RESOURCE_EXHAUSTED error from …`."""
_FINE = frozenset({"ok", "success", "succeeded", "done", "completed"})
"""Texts of a status that add nothing to the answer beside them."""
_OF_STATUS = frozenset({"code", "message", "status", "details"})


class Outcome(Struct, frozen=True):
    """The outcome of a row. At most one of `response` and `error` is set; neither when the line has no outcome."""

    response: Mapping[str, Json] | None
    error: Mapping[str, Json] | None
    rest: Mapping[str, Json]
    """The line's other members."""


def read_outcome(item: Mapping[str, Json], *, states: bool) -> Outcome:
    """The outcome in a line's members.

    With `states`, every line of this API has a status text, which is empty on success. Without it, a status text beside
    an answer belongs to the user.
    """
    rest = dict(item)
    given = rest.pop("response", None)
    response = _object(given)
    if not response:
        response = _bare(rest) or _predictions(rest) or _elsewhere(rest) or response
    error = _taken_error(rest, response, states=states) or _error_in(response)
    if error is not None:
        besides = [response] if response and _error_in(response) is None else []
        if states and isinstance(rest.get("status"), str) and rest["status"].strip():
            besides.append({"status": rest.pop("status")})
        return Outcome(None, _joined(error, {"details": besides} if besides else {}), rest)
    if response is not None and not (states and not response):
        return Outcome(response, None, rest)
    if given in (None, {}) and not states and _is_status(_without_key(rest)):
        status = {name: rest.pop(name) for name in tuple(rest) if name in _OF_STATUS}
        return Outcome(None, status, rest)
    if given in (None, {}):
        return Outcome(None, None, rest)
    return Outcome(None, {**NOTHING, "raw": given}, rest)


def users_members(rest: Mapping[str, Json]) -> dict[str, Json]:
    """The user's part of a line's other members: without its key, and without an empty error."""
    return {
        name: value
        for name, value in rest.items()
        if not (name == "key" and (value is None or key_text(value) is not None))
        and not (name in ("error", "status", "response") and not value)
    }


def _bare(rest: dict[str, Json]) -> dict[str, Json] | None:
    """The answer when the line itself is one; removes it from the other members."""
    if not any(rest.get(name) for name in _ANSWERS):
        return None
    return {name: rest.pop(name) for name in tuple(rest) if name in _OF_ANSWERS}


def _elsewhere(rest: dict[str, Json]) -> Mapping[str, Json] | None:
    """The answer under an undocumented name, if exactly one member is an answer; removes it from the members.

    Any other name may be the user's own, such as that of an earlier answer which the row continues.
    """
    found = {name: answer for name in _OTHER_NAMES if _is_answer(answer := _object(rest.get(name)))}
    if len(found) != 1:
        return None
    [(name, answer)] = found.items()
    del rest[name]
    return answer


def _is_answer(value: Mapping[str, Json] | None) -> bool:
    return value is not None and any(value.get(name) for name in _ANSWERS)


def _predictions(rest: dict[str, Json]) -> dict[str, Json] | None:
    """The answers of the old embeddings API, which are in a list of their own."""
    predictions = parsed(rest.get("predictions"))
    if not isinstance(predictions, list) or not predictions:
        return None
    del rest["predictions"]
    return {"predictions": predictions}


def _taken_error(
    rest: dict[str, Json], response: Mapping[str, Json] | None, *, states: bool
) -> Mapping[str, Json] | None:
    """The error beside an answer, or instead of it; removes it from the other members."""
    for name in ("error", "status"):
        value = rest.get(name)
        if response and not _counts(name, value, states=states):
            continue
        error = _read_error(value)
        if error is not None:
            del rest[name]
            return error
    return None


def _counts(name: str, value: Json, *, states: bool) -> bool:
    """Whether a member beside an answer is the API's error; anything else belongs to the user."""
    if isinstance(value, Mapping):
        return _is_status(value)
    if not states or name != "status":
        return False
    return value.strip().lower() not in _FINE if isinstance(value, str) else is_number(value)


def _without_key(rest: Mapping[str, Json]) -> Mapping[str, Json]:
    return {name: value for name, value in rest.items() if name != "key"}


def _is_status(value: Mapping[str, Json]) -> bool:
    """Whether an object is an error like google.rpc.Status: it has a code and a message, or one of them alone."""
    code, message = value.get("code"), value.get("message")
    parts = [bool(code) and isinstance(code, str | int), isinstance(message, str)]
    return all(parts) or (any(parts) and value.keys() <= _OF_STATUS)


def _read_error(value: Json) -> Mapping[str, Json] | None:
    """An error given as an object, a text or a number; None when the value means no error."""
    if isinstance(value, str):
        return read_status(value) if value.strip() else None
    if is_number(value):
        return _read_number(value)
    if isinstance(value, dict) and value:
        return None if value.get("code") in (0, "OK") else value
    return {**NOTHING, "raw": value} if value not in (None, {}, [], False) else None


def _read_number(value: Json) -> Mapping[str, Json] | None:
    """The error for a number of google.rpc or HTTP; None for numbers that mean success."""
    if value == 0 or (isinstance(value, int | float) and _FIRST_HTTP_GOOD <= value < _FIRST_HTTP_ERROR):
        return None
    number = _number({"code": value})
    return {"code": number, "message": _NAMES.get(number, "UNKNOWN"), "raw": value}


def _error_in(response: Mapping[str, Json] | None) -> Mapping[str, Json] | None:
    """The error inside an object that should be an answer."""
    if not response or any(response.get(name) for name in _ANSWERS | _OF_PARTNERS):
        return None
    error = response.get("error")
    if isinstance(error, dict | str) and error:
        found = _read_error(error)
        others = {name: value for name, value in response.items() if name != "error"}
        return None if found is None else _joined(found, {"details": [others]} if others else {})
    code, body = response.get("status_code"), as_object(response.get("body"))
    if isinstance(code, int) and not isinstance(code, bool) and code >= _FIRST_HTTP_ERROR:
        message = as_object(body.get("error")).get("message")
        words = message if isinstance(message, str) and message else f"HTTP {code}"
        return {"code": _BY_HTTP.get(code, _UNKNOWN), "message": words, "details": [response]}
    return None


def _joined(error: Mapping[str, Json], more: Mapping[str, Json]) -> Mapping[str, Json]:
    """The error with further details: what came besides it was paid for too."""
    if not more:
        return error
    own = error.get("details")
    return {**error, "details": [*(own if isinstance(own, list) else []), *more["details"]]}


def read_status(status: str) -> dict[str, Json]:
    """The error in a status text, which may contain the service's own error as JSON (reference 8.2)."""
    found = as_object(_embedded(status))
    named = _NAME.search(status)
    embedded = as_object(found.get("error", found)) or {"status": named[0] if named else ""}
    message = embedded.get("message")
    return {"code": _number(embedded), "message": message if isinstance(message, str) and message else status}


def _embedded(status: str) -> Json:
    start = status.find("{")
    if start < 0:
        return None
    try:
        return DECODER.raw_decode(status, start)[0]
    except (ValueError, RecursionError):
        return None


def _number(error: Mapping[str, Json]) -> int:
    """The google.rpc number; the code in a status text is an HTTP status."""
    name, code = error.get("status"), error.get("code")
    if isinstance(name, str) and name in _BY_NAME:
        return _BY_NAME[name]
    if isinstance(code, bool) or not isinstance(code, int):
        return _UNKNOWN
    return code if code in _BY_NAME.values() else _BY_HTTP.get(code, _UNKNOWN)


def _object(value: Json) -> Mapping[str, Json] | None:
    found = parsed(value)
    if isinstance(found, list) and len(found) == 1:
        [found] = found
    return found if isinstance(found, dict) else None


def parsed(value: Json) -> Json:
    """The value, decoded if it is JSON in a text column of a table."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return parse_json(value.encode("utf-8", "surrogatepass"))
    except ValueError:
        return value
