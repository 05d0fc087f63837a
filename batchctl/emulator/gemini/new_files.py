"""New files: checks of the caller's metadata, and storing the file. Source: reference 2.1, 2.2, 16.

The upload protocols are in `resumable_uploads` and `other_uploads`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from msgspec import Struct

from batchctl.emulator.exchange import Exchange
from batchctl.emulator.gemini.files import File, check_file_id, file_resource, find_file, remove_expired, remove_file
from batchctl.emulator.gemini.messages import FILE
from batchctl.emulator.ids import fresh_id
from batchctl.emulator.proto import Message, read_message
from batchctl.emulator.store import Store
from batchctl.emulator.wire import JsonObject, Refused

_START = Message({"file": FILE})
_NAME_LENGTH = 12
_LONGEST_DISPLAY_NAME = 512
_MIME_TYPE = re.compile(r"(application|audio|font|image|message|model|multipart|text|video)/.+|[^/]+", re.IGNORECASE)
"""A type of a registered kind, or a bare word such as `jsonl`.

Source: reference 2.1, and the SDK's own upload tests, where `bad/mime_type` is refused. Which registered types the
service refuses is unknown.
"""


class NewFile(Struct, frozen=True):
    """The metadata of a file whose bytes have not arrived yet."""

    name: str
    display_name: str | None
    mime_type: str
    declared: int | None
    """The size, if the caller declares it."""


def read_new_file(exchange: Exchange, said: object, mime_type: str, size: str) -> NewFile:
    """The file that the caller wants to create: `said` is the caller's JSON, the rest are headers and may be empty.

    Raises Refused (400, 409, 429) if the file cannot be created.
    """
    file = read_message(said, _START).get("file", {})
    declared = _declared(size or str(file.get("sizeBytes", "")))
    mime_type = mime_type or file.get("mimeType", "")
    if not mime_type:
        raise Refused(400, "* CreateFileRequest.file.mime_type: must be specified")
    if not _MIME_TYPE.fullmatch(mime_type):
        raise Refused(400, f"Unsupported MIME type: {mime_type}")
    if len(file.get("displayName", "")) > _LONGEST_DISPLAY_NAME:
        raise Refused(400, f"* CreateFileRequest.file.display_name: at most {_LONGEST_DISPLAY_NAME} characters")
    name = _full_name(file.get("name"))
    check_free(exchange, name)
    remove_expired(exchange.store, exchange.now)
    check_size(exchange, declared or 0)
    return NewFile(name, file.get("displayName"), mime_type, declared)


def check_free(exchange: Exchange, name: str) -> None:
    """Raise Refused (409) if a file has this name."""
    if find_file(exchange.store, name, exchange.now):
        raise Refused(409, f"File {name} already exists.")


def check_size(exchange: Exchange, size: int) -> None:
    """Raise Refused for a file that is too large (400) or exceeds the project's storage quota (429).

    Source: reference 10, 16.
    """
    if size > exchange.settings.largest_upload:
        raise Refused(400, f"File size exceeds the limit: {exchange.settings.largest_upload} bytes.")
    used = exchange.store.rows("SELECT coalesce(sum(size), 0) FROM files")[0][0]
    most = exchange.settings.file_storage
    if used + size > most:
        raise Refused(429, f"The file storage quota of {most} bytes is exceeded.")


def add_file(exchange: Exchange, blob: str, new: NewFile) -> JsonObject:
    """Create the file from stored bytes; returns the reply to the last call of the upload."""
    expires = exchange.now + exchange.settings.file_lifetime
    file = store_file(exchange.store, blob, new.name, new.display_name, new.mime_type, exchange.now, expires)
    return {"file": file_resource(file, exchange)}


def store_file(
    store: Store, blob: str, name: str, display_name: str | None, mime_type: str, created: int, expires: int
) -> File:
    """Create a file from stored bytes; uploads and seeds share this function."""
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


def _declared(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Refused(400, "X-Goog-Upload-Header-Content-Length is not a number.")
    return int(text)


def _full_name(name: str | None) -> str:
    """The caller's name, or a new one. Raises Refused (400)."""
    if not name:
        return f"files/{fresh_id(_NAME_LENGTH)}"
    short = name.removeprefix("files/")
    check_file_id(short)
    return f"files/{short}"
