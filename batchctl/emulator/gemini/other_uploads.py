"""Uploads by other protocols than the resumable one of the Files API: in one request, or in Google's older sessions.

`X-Goog-Upload-Protocol: raw` and `multipart`, and `uploadType=media`, `multipart` and `resumable`. The discovery
document of the Developer API has them, and clients generated from it use them.
"""

from __future__ import annotations

from msgspec.structs import asdict

from batchctl.emulator.exchange import Exchange
from batchctl.emulator.gemini.new_files import NewFile, add_file, check_free, check_size, read_new_file
from batchctl.emulator.ids import fresh_id
from batchctl.emulator.media import read_parts, read_resource
from batchctl.emulator.sessions import continue_session, open_session
from batchctl.emulator.wire import JsonObject, Request, Response, json_response

_BLOB_LENGTH = 40
_FINAL = {"x-goog-upload-status": "final"}


def contains_file(request: Request) -> bool:
    """Whether the call contains the complete file."""
    return _way(request) in {"raw", "media", "multipart"}


def opens_older_session(request: Request) -> bool:
    """Whether the call opens a session whose address is in `Location`."""
    return _way(request) == "resumable" and not request.header("x-goog-upload-protocol")


def in_older_session(request: Request) -> bool:
    """Whether the call continues such a session."""
    return request.param("upload_id") is not None and request.param("uploadType") == "resumable"


def upload_in_one_request(exchange: Exchange) -> Response:
    """An upload in one request: the bytes alone, or a part with JSON and a part with the bytes."""
    request = exchange.request
    said: JsonObject = {}
    kind, content = request.header("content-type"), request.body
    if _way(request) == "multipart":
        media = read_parts(request)
        said, kind, content = media.resource, media.content_type, media.content
    new = read_new_file(exchange, said, request.header("x-goog-upload-header-content-type") or kind, "")
    check_size(exchange, len(content))
    blob = fresh_id(_BLOB_LENGTH)
    exchange.store.append(blob, [content])
    reply = json_response(add_file(exchange, blob, new))
    return Response(200, {**reply.headers, **_FINAL}, reply.body)


def open_older_session(exchange: Exchange) -> Response:
    """Open a session; its address is in `Location`."""
    request = exchange.request
    kind, size = (request.header(f"x-upload-content-{what}") for what in ("type", "length"))
    return open_session(exchange, asdict(read_new_file(exchange, read_resource(request.body), kind, size)))


def continue_older_session(exchange: Exchange) -> JsonObject | Response:
    """One piece, or a query of the session's progress."""
    return continue_session(exchange, _check, _finish)


def _way(request: Request) -> str | None:
    return request.header("x-goog-upload-protocol") or request.param("uploadType", "upload_protocol")


def _check(exchange: Exchange, target: JsonObject) -> None:
    check_free(exchange, target["name"])


def _finish(exchange: Exchange, target: JsonObject, blob: str) -> JsonObject:
    check_size(exchange, sum(len(piece) for piece in exchange.store.read(blob)))
    return add_file(exchange, blob, NewFile(**target))
