"""The resumable upload: start, chunks, query, cancel. Sessions and bytes are in the store. Source: reference 2.1."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import asdict

from batchctl.emulator.bodies import parse_json
from batchctl.emulator.exchange import Exchange
from batchctl.emulator.gemini.files import base_url
from batchctl.emulator.gemini.new_files import NewFile, add_file, check_free, check_size, read_new_file
from batchctl.emulator.ids import fresh_id
from batchctl.emulator.wire import Refused, Response, json_response

_SESSION_LENGTH = 40
_FINAL = "The upload is already finalized."


class _Session(Struct, frozen=True):
    id: str
    """Also the name of the blob."""
    file: NewFile
    received: int
    final: bool

    @property
    def status(self) -> dict[str, str]:
        return {"x-goog-upload-status": "final" if self.final else "active"}


def start_upload(exchange: Exchange) -> Response:
    """Open a session; the chunks need only its URL, which is on the caller's own host."""
    request = exchange.request
    if request.header("x-goog-upload-protocol") != "resumable" or request.header("x-goog-upload-command") != "start":
        raise Refused(
            400,
            "An upload must name its protocol in X-Goog-Upload-Protocol or uploadType: resumable (started with"
            " X-Goog-Upload-Command: start), multipart, or raw (media).",
        )
    said = parse_json(request.body or b"{}")
    kind, size = (request.header(f"x-goog-upload-header-content-{what}") for what in ("type", "length"))
    new = read_new_file(exchange, said, kind, size)
    session = {"id": fresh_id(_SESSION_LENGTH), **asdict(new), "received": 0, "final": 0}
    exchange.store.insert("uploads", session)
    url = f"{base_url(exchange)}{request.path}?upload_id={session['id']}&upload_protocol=resumable"
    return Response(200, {"x-goog-upload-url": url, "x-goog-upload-status": "active"})


def continue_upload(exchange: Exchange) -> Response:
    """One chunk, a query of the progress, or a cancel."""
    session = _session(exchange)
    commands = {part.strip() for part in exchange.request.header("x-goog-upload-command").split(",")}
    if commands == {"query"}:
        return Response(200, {**session.status, "x-goog-upload-size-received": str(session.received)})
    if commands == {"cancel"}:
        if session.final:
            return _refused(session, _FINAL)
        exchange.store.change("DELETE FROM uploads WHERE id = ?", session.id)
        exchange.store.drop_unused(session.id)
        return Response(200, {"x-goog-upload-status": "cancelled"})
    if not commands <= {"upload", "finalize"}:
        return _refused(session, "The upload command must be upload, finalize, query or cancel.")
    problem = _chunk_problem(exchange, session, commands)
    if problem is not None:
        return _refused(session, problem)
    store, received = exchange.store, session.received
    if "upload" in commands:
        received += store.append(session.id, [exchange.request.body])
        store.change("UPDATE uploads SET received = ? WHERE id = ?", received, session.id)
    if "finalize" not in commands:
        return Response(200, session.status)
    try:
        check_free(exchange, session.file.name)
        check_size(exchange, received)
    except Refused as refused:
        return _refused(session, refused.message, refused.status)
    reply = json_response(add_file(exchange, session.id, session.file))
    store.change("UPDATE uploads SET final = 1 WHERE id = ?", session.id)
    return Response(200, {**reply.headers, "x-goog-upload-status": "final"}, reply.body)


def _session(exchange: Exchange) -> _Session:
    found = exchange.store.rows(
        "SELECT id, received, final, name, display_name, mime_type, declared FROM uploads WHERE id = ?",
        exchange.request.param("upload_id"),
    )
    if not found:
        raise Refused(404, "The upload session does not exist.")
    session, received, final, *file = found[0]
    return _Session(session, NewFile(*file), received, bool(final))


def _chunk_problem(exchange: Exchange, session: _Session, commands: set[str]) -> str | None:
    if session.final:
        return _FINAL
    offset = exchange.request.header("x-goog-upload-offset") or "0"
    received = session.received
    if "upload" in commands:
        if offset != str(received):
            return f"The offset {offset[:20]} is not the {received} bytes received so far."
        received += len(exchange.request.body)
    if received > (exchange.settings.largest_upload if session.file.declared is None else session.file.declared):
        return "Received more bytes than declared."
    if "finalize" in commands and session.file.declared not in {None, received}:
        return f"{session.file.declared} bytes were declared, {received} received."
    return None


def _refused(session: _Session, message: str, status: int = 400) -> Response:
    reply = Refused(status, message).response()
    return Response(status, {**reply.headers, **session.status}, reply.body)
