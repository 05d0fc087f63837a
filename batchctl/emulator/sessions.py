"""Resumable uploads of Google's older REST APIs: a session, pieces with Content-Range, 308 until the last piece.

This module implements the protocol; the caller of `open_session` decides the use of the upload. Sessions and bytes are
in the store. Source: reference 4 names the protocol; its steps are those of google-resumable-media.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NoReturn, TypeAlias

from msgspec import Struct

from batchctl.emulator.exchange import Exchange
from batchctl.emulator.ids import fresh_id
from batchctl.emulator.media import Piece, read_piece
from batchctl.emulator.older_apis import host_url
from batchctl.emulator.store import Store
from batchctl.emulator.wire import JsonObject, Refused, Request, Response

_ID_LENGTH = 40
_UNIT = 256 * 1024
"""The size of every piece except the last must be a multiple of this number of bytes."""
_GO_ON = 308
_GIVEN_UP = 499

Check: TypeAlias = Callable[[Exchange, JsonObject], None]
"""Raises Refused if the request that opened the session is no longer possible."""
Finish: TypeAlias = Callable[[Exchange, JsonObject, str], JsonObject]
"""Creates the result from the request that opened the session and the name of the blob with all bytes."""


class _Session(Struct, frozen=True):
    id: str
    """Also the name of the blob."""
    target: JsonObject
    declared: int | None
    received: int
    reply: JsonObject | None
    """The reply to the last piece, once it has arrived."""


def in_session(request: Request) -> bool:
    """Whether the request continues an upload."""
    return request.param("upload_id") is not None


def open_session(exchange: Exchange, target: JsonObject) -> Response:
    """Start an upload described by `target`; the session's address is on the caller's own host."""
    text = exchange.request.header("x-upload-content-length")
    if text and not re.fullmatch(r"[0-9]{1,18}", text):
        raise Refused(400, "X-Upload-Content-Length is not a number.")
    session = fresh_id(_ID_LENGTH)
    row = {"id": session, "target": json.dumps(target), "declared": int(text) if text else None, "received": 0}
    exchange.store.insert("sessions", row)
    location = f"{host_url(exchange)}{exchange.request.path}?uploadType=resumable&upload_id={session}"
    return Response(200, {"location": location, "x-guploader-uploadid": session})


def continue_session(exchange: Exchange, check: Check, finish: Finish) -> JsonObject | Response:
    """Handle one piece or a query of the progress; after the last piece the reply stays the same."""
    store, session = exchange.store, _find(exchange)
    if session.reply is not None:
        return session.reply
    piece = read_piece(exchange.request)
    fresh = _fresh_bytes(exchange, session, piece)
    received = session.received + len(fresh)
    total = session.declared if piece.total is None else piece.total
    if received != total or (piece.start is None and piece.total is None):
        _check_unit(exchange.request.body)
        store.append(session.id, [fresh])
        store.change("UPDATE sessions SET received = ?, declared = ? WHERE id = ?", received, total, session.id)
        return _progress(received)
    check(exchange, session.target)
    store.append(session.id, [fresh])
    try:
        reply = finish(exchange, session.target, session.id)
    except Refused:
        _forget(store, session)
        raise
    store.change("UPDATE sessions SET received = ?, reply = ? WHERE id = ?", received, json.dumps(reply), session.id)
    return reply


def cancel_session(exchange: Exchange) -> NoReturn:
    """Cancel the upload: its bytes are dropped and its address becomes invalid. Raises Refused (499), as is usual."""
    session = _find(exchange)
    if session.reply is not None:
        raise Refused(400, "The upload is complete.")
    _forget(exchange.store, session)
    raise Refused(_GIVEN_UP, "The upload was cancelled.")


def _find(exchange: Exchange) -> _Session:
    sql = "SELECT id, target, declared, received, reply FROM sessions WHERE id = ?"
    found = exchange.store.rows(sql, exchange.request.param("upload_id"))
    if not found:
        raise Refused(404, "The upload session does not exist.")
    session, target, declared, received, reply = found[0]
    return _Session(session, json.loads(target), declared, received, None if reply is None else json.loads(reply))


def _fresh_bytes(exchange: Exchange, session: _Session, piece: Piece) -> bytes:
    """The bytes of the piece that are new. Raises Refused (400) for a piece that does not fit the upload."""
    if session.declared is not None and piece.total not in {None, session.declared}:
        raise Refused(400, f"The upload has {session.declared} bytes, but this request declares {piece.total}.")
    start = session.received if piece.start is None else piece.start
    if start > session.received:
        raise Refused(400, f"The piece begins at byte {start}, but only {session.received} bytes have been received.")
    fresh = exchange.request.body[session.received - start :]
    total = session.declared if piece.total is None else piece.total
    if total is not None and session.received + len(fresh) > total:
        raise Refused(400, f"Received more than the declared {total} bytes.")
    return fresh


def _check_unit(body: bytes) -> None:
    if len(body) % _UNIT:
        raise Refused(400, f"All pieces but the last must be multiples of {_UNIT} bytes; this one has {len(body)}.")


def _progress(received: int) -> Response:
    """The progress of the upload; without a range, nothing has been received."""
    return Response(_GO_ON, {"range": f"bytes=0-{received - 1}"} if received else {})


def _forget(store: Store, session: _Session) -> None:
    store.change("DELETE FROM sessions WHERE id = ?", session.id)
    store.drop_unused(session.id)
