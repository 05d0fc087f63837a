"""The resumable upload: start, chunks, query. Sessions and bytes live in the store. Source: reference 2.1."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from batchctl.emulator.bodies import parse_json
from batchctl.emulator.exchange import Exchange
from batchctl.emulator.gemini.files import (
    File,
    base_url,
    check_file_id,
    file_resource,
    find_file,
    remove_expired,
    remove_file,
)
from batchctl.emulator.gemini.messages import FILE
from batchctl.emulator.names import fresh_id
from batchctl.emulator.proto import Message, read_message
from batchctl.emulator.store import Store
from batchctl.emulator.wire import JsonObject, Refused, Response, json_response

_START = Message({"file": FILE})
_NAME_LENGTH = 12
_SESSION_LENGTH = 40
_LONGEST_DISPLAY_NAME = 512
_MIME_TYPE = re.compile(r"(application|audio|font|image|message|model|multipart|text|video)/.+|[^/]+", re.IGNORECASE)
"""A type of a registered kind, or a bare word such as `jsonl`. Source: reference 2.1, and the SDK's own upload tests,
where `bad/mime_type` is refused; which registered types the service refuses is not known."""


@dataclass(frozen=True)
class _Session:
    id: str
    name: str
    display_name: str | None
    mime_type: str
    declared: int | None
    received: int
    final: bool

    @property
    def status(self) -> dict[str, str]:
        return {"x-goog-upload-status": "final" if self.final else "active"}


def start_upload(exchange: Exchange) -> Response:
    """Open a session; its URL, on the caller's own host, is all that the chunks need."""
    request = exchange.request
    if request.header("x-goog-upload-protocol") != "resumable" or request.header("x-goog-upload-command") != "start":
        raise Refused(400, "Only uploads by the resumable protocol are served, and they begin with the command start.")
    file = read_message(parse_json(request.body or b"{}"), _START).get("file", {})
    declared = _declared(exchange, file)
    mime_type = request.header("x-goog-upload-header-content-type") or file.get("mimeType")
    if not mime_type:
        raise Refused(400, "* CreateFileRequest.file.mime_type: must be specified")
    if not _MIME_TYPE.fullmatch(mime_type):
        raise Refused(400, f"Unsupported MIME type: {mime_type}")
    if len(file.get("displayName", "")) > _LONGEST_DISPLAY_NAME:
        raise Refused(400, f"* CreateFileRequest.file.display_name: at most {_LONGEST_DISPLAY_NAME} characters")
    session = {
        "id": fresh_id(_SESSION_LENGTH),
        "name": _free_name(exchange, file.get("name")),
        "display_name": file.get("displayName"),
        "mime_type": mime_type,
        "declared": declared,
        "received": 0,
        "final": 0,
    }
    remove_expired(exchange.store, exchange.now)
    full = _storage_problem(exchange, declared or 0)
    if full is not None:
        raise Refused(429, full)
    exchange.store.insert("uploads", session)
    url = f"{base_url(exchange)}{request.path}?upload_id={session['id']}&upload_protocol=resumable"
    return Response(200, {"x-goog-upload-url": url, "x-goog-upload-status": "active"})


def _storage_problem(exchange: Exchange, size: int) -> str | None:
    """What is wrong when the project's files and this one are too much. Source: reference 16."""
    used = exchange.store.rows("SELECT coalesce(sum(size), 0) FROM files")[0][0]
    most = exchange.settings.file_storage
    return None if used + size <= most else f"The file storage quota of {most} bytes is exceeded."


def continue_upload(exchange: Exchange) -> Response:
    """One chunk, or a question how far the session is."""
    session = _session(exchange)
    commands = {part.strip() for part in exchange.request.header("x-goog-upload-command").split(",")}
    if commands == {"query"}:
        return Response(200, {**session.status, "x-goog-upload-size-received": str(session.received)})
    if not commands <= {"upload", "finalize"}:
        return _refused(session, "The upload command is none of upload, finalize and query.")
    problem = _chunk_problem(exchange, session, commands)
    if problem is not None:
        return _refused(session, problem)
    store, received = exchange.store, session.received
    if "upload" in commands:
        received += store.append(session.id, [exchange.request.body])
        store.change("UPDATE uploads SET received = ? WHERE id = ?", received, session.id)
    if "finalize" not in commands:
        return Response(200, session.status)
    if find_file(store, session.name, exchange.now):
        return _refused(session, f"File {session.name} already exists.", 409)
    full = _storage_problem(exchange, received)
    if full is not None:
        return _refused(session, full, 429)
    lifetime = exchange.settings.file_lifetime
    file = keep_file(
        store, session.id, session.name, session.display_name, session.mime_type, exchange.now, exchange.now + lifetime
    )
    store.change("UPDATE uploads SET final = 1 WHERE id = ?", session.id)
    reply = json_response({"file": file_resource(file, exchange)})
    return Response(200, {**reply.headers, "x-goog-upload-status": "final"}, reply.body)


def keep_file(
    store: Store, blob: str, name: str, display_name: str | None, mime_type: str, created: int, expires: int
) -> File:
    """Make a file of stored bytes: the one way in, for uploads and seeds."""
    size, digest = _measure(store.read(blob))
    row = {"name": name, "blob": blob, "display_name": display_name, "mime_type": mime_type, "size": size}
    old = find_file(store, name, -1)
    if old is not None:
        remove_file(store, old)
    store.insert("files", {**row, "sha256": digest, "created": created, "expires": expires})
    kept = find_file(store, name, -1)
    assert kept is not None
    return kept


def _measure(pieces: Iterable[bytes]) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
    return size, digest.hexdigest()


def _declared(exchange: Exchange, file: JsonObject) -> int | None:
    text = exchange.request.header("x-goog-upload-header-content-length") or str(file.get("sizeBytes", ""))
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Refused(400, "X-Goog-Upload-Header-Content-Length is no number.")
    if int(text) > exchange.settings.max_file:
        raise Refused(400, f"File size exceeds the limit: {exchange.settings.max_file} bytes.")
    return int(text)


def _free_name(exchange: Exchange, name: str | None) -> str:
    """The caller's name when it is free, else a fresh one. Raises Refused (400, 409)."""
    if not name:
        return f"files/{fresh_id(_NAME_LENGTH)}"
    short = name.removeprefix("files/")
    check_file_id(short)
    if find_file(exchange.store, f"files/{short}", exchange.now):
        raise Refused(409, f"File files/{short} already exists.")
    return f"files/{short}"


def _session(exchange: Exchange) -> _Session:
    found = exchange.store.rows(
        "SELECT id, name, display_name, mime_type, declared, received, final FROM uploads WHERE id = ?",
        exchange.request.param("upload_id"),
    )
    if not found:
        raise Refused(404, "The upload session does not exist.")
    return _Session(*found[0])


def _chunk_problem(exchange: Exchange, session: _Session, commands: set[str]) -> str | None:
    if session.final:
        return "The upload is already finalized."
    offset = exchange.request.header("x-goog-upload-offset") or "0"
    received = session.received
    if "upload" in commands:
        if offset != str(received):
            return f"The offset {offset[:20]} is not the {received} bytes received so far."
        received += len(exchange.request.body)
    if received > (exchange.settings.max_file if session.declared is None else session.declared):
        return "More bytes came than were declared."
    if "finalize" in commands and session.declared not in {None, received}:
        return f"{session.declared} bytes were declared, {received} came."
    return None


def _refused(session: _Session, message: str, status: int = 400) -> Response:
    reply = Refused(status, message).response()
    return Response(status, {**reply.headers, **session.status}, reply.body)
