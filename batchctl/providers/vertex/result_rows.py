"""From a line of a result file, or a row of a result table, to a ResultItem.

Never fails: a row of which nothing can be made becomes an error row. Source: reference 8.2, chapter 9.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from batchctl.model.desired import Json
from batchctl.model.ports import INDEX_LABEL, ResultItem
from batchctl.providers.errors import RPC_HTTP
from batchctl.providers.texts import DECODER, as_object, parse_json

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_CANCELLED, _UNKNOWN, _INTERNAL = 1, 2, 13
_BY_NAME = {name: number for number, (_, name) in RPC_HTTP.items()} | {
    "UNKNOWN": _UNKNOWN,
    "INTERNAL": _INTERNAL,
    "DATA_LOSS": 15,
}
_BY_HTTP = {500: _INTERNAL} | {http: number for number, (http, _) in reversed(list(RPC_HTTP.items()))}
"""Where several numbers share a status, the first one."""
_NEVER_PROCESSED: Mapping[str, Json] = {
    "code": _CANCELLED,
    "message": "never processed: the job ended before this row",
}
_NOTHING: Mapping[str, Json] = {
    "code": _UNKNOWN,
    "message": "the API gave neither a response nor an error for this row",
}


def result_item(row: Json) -> ResultItem:
    """One row, members in any order."""
    item = as_object(row)
    request = _request(item)
    key = item.get("key")
    index = as_object(as_object(request).get("labels")).get(INDEX_LABEL)
    known = ResultItem(
        key if isinstance(key, str) else None,
        int(index) if isinstance(index, str) and _INDEX.fullmatch(index) else None,
        request=request,
    )
    response = _response(item)
    error = _error(item, response)
    if error is None and response:
        return _with(known, response=response)
    if error is None:
        answered = any(item.get(name) is not None for name in ("status", "response", "predictions"))
        error = _NEVER_PROCESSED if request is not None and not answered else _NOTHING
    return _with(known, error=error)


def _with(
    known: ResultItem, *, response: Mapping[str, Json] | None = None, error: Mapping[str, Json] | None = None
) -> ResultItem:
    return ResultItem(known.key, known.index, response=response, error=error, request=known.request)


def _request(item: Mapping[str, Json]) -> Mapping[str, Json] | None:
    """The echoed request; of the old text embeddings, the instance or what stands in its place in a table."""
    for name in ("request", "instance"):
        found = _object(item.get(name))
        if found is not None:
            return found
    if "predictions" in item and isinstance(item.get("content"), str):
        return {"content": item["content"]}
    return None


def _response(item: Mapping[str, Json]) -> Mapping[str, Json]:
    response = _object(item.get("response"))
    predictions = _parsed(item.get("predictions"))
    if not response and isinstance(predictions, list) and predictions:
        return {"predictions": predictions}
    return response or {}


def _error(item: Mapping[str, Json], response: Mapping[str, Json]) -> Mapping[str, Json] | None:
    error = item.get("error")
    if isinstance(error, dict) and error:
        return error
    status = item.get("status")
    if isinstance(status, dict) and status:
        return status
    if not isinstance(status, str) or not status.strip():
        return None
    # What came besides the error was paid for too.
    return {**_read_status(status), **({"details": [response]} if response else {})}


def _read_status(status: str) -> dict[str, Json]:
    """The error in a status text, which may hold the service's own error as JSON (reference 8.2)."""
    embedded = as_object(as_object(_embedded(status)).get("error"))
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
    """The google.rpc number; in a status text the code is that of HTTP."""
    name, code = error.get("status"), error.get("code")
    if isinstance(name, str) and name in _BY_NAME:
        return _BY_NAME[name]
    if isinstance(code, bool) or not isinstance(code, int):
        return _UNKNOWN
    return code if code in _BY_NAME.values() else _BY_HTTP.get(code, _UNKNOWN)


def _object(value: Json) -> Mapping[str, Json] | None:
    found = _parsed(value)
    return found if isinstance(found, dict) else None


def _parsed(value: Json) -> Json:
    """The value; read as JSON where a table keeps it in a column of text."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return parse_json(value.encode("utf-8", "surrogatepass"))
    except ValueError:
        return value
