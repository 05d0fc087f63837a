"""Files: get, list, delete, download. The upload protocols are in `resumable_uploads` and `other_uploads`.

Source: reference 2.2, 2.3.
"""

from __future__ import annotations

import base64
import re

from msgspec import Struct

from batchctl.emulator.clock import timestamp
from batchctl.emulator.exchange import Exchange
from batchctl.emulator.gemini.envelope import API, has_results
from batchctl.emulator.gemini.rows import result_lines
from batchctl.emulator.job_store import Job, find_job
from batchctl.emulator.store import Store
from batchctl.emulator.wire import JsonObject, Refused, Response

_FILE_ID = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_LONGEST_ID = 40
_RESULT_FILE = "batch-"
_PAGE_SIZE = 10
_MOST_PER_PAGE = 100
_COLUMNS = "seq, name, blob, display_name, mime_type, size, sha256, created, expires"


class File(Struct, frozen=True):
    """One uploaded file as stored. Times are in nanoseconds."""

    seq: int
    name: str
    blob: str
    display_name: str | None
    mime_type: str
    size: int
    sha256: str
    """In hex."""
    created: int
    expires: int


def find_file(store: Store, name: str, now: int) -> File | None:
    """The uploaded file of this full name, unless it has expired."""
    found = store.rows(f"SELECT {_COLUMNS} FROM files WHERE name = ? AND expires > ?", name, now)  # noqa: S608
    return File(*found[0]) if found else None


def is_processed(file: File, exchange: Exchange) -> bool:
    """Whether the file is ready for use. Source: reference 16."""
    return exchange.now >= file.created + exchange.settings.file_processing


def file_resource(file: File, exchange: Exchange) -> JsonObject:
    """The file on the wire; the hash is base64 of the hex digest. Source: reference 2.2."""
    version = exchange.params.get("version", "v1beta")
    named = {} if file.display_name is None else {"displayName": file.display_name}
    return {
        "name": file.name,
        **named,
        "mimeType": file.mime_type,
        "sizeBytes": str(file.size),
        "createTime": timestamp(file.created),
        "updateTime": timestamp(file.created),
        "expirationTime": timestamp(file.expires),
        "sha256Hash": base64.b64encode(file.sha256.encode()).decode(),
        "uri": f"{base_url(exchange)}/{version}/{file.name}",
        "state": "ACTIVE" if is_processed(file, exchange) else "PROCESSING",
        "source": "UPLOADED",
    }


def base_url(exchange: Exchange) -> str:
    """The address under which the caller reached the emulator."""
    return f"{exchange.request.scheme}://{exchange.request.header('host') or 'localhost'}"


def get_file(exchange: Exchange) -> JsonObject:
    """The resource of an uploaded file; the name of a result file is too long for this call."""
    return file_resource(_file(exchange), exchange)


def list_files(exchange: Exchange) -> JsonObject:
    """One page of uploaded files, newest first."""
    size = exchange.page_size(_PAGE_SIZE, _MOST_PER_PAGE)
    token = exchange.request.param("pageToken", "page_token") or str(2**62)
    if not re.fullmatch(r"[0-9]{1,19}", token):
        raise Refused(400, "Invalid page token.")
    found = exchange.store.rows(
        f"SELECT {_COLUMNS} FROM files WHERE expires > ? AND seq < ? ORDER BY seq DESC LIMIT ?",  # noqa: S608
        exchange.now,
        min(int(token), 2**62),
        size + 1,
    )
    files = [File(*row) for row in found[:size]]
    reply: JsonObject = {"files": [file_resource(file, exchange) for file in files]} if files else {}
    return {**reply, "nextPageToken": str(files[-1].seq)} if len(found) > size else reply


def delete_file(exchange: Exchange) -> JsonObject:
    """Delete the file; jobs that use it keep its rows."""
    file = _file(exchange)
    remove_file(exchange.store, file)
    return {}


def remove_file(store: Store, file: File) -> None:
    """Delete the file, and its bytes unless a job needs them."""
    store.change("DELETE FROM files WHERE seq = ?", file.seq)
    store.drop_unused(file.blob)


def remove_expired(store: Store, now: int) -> None:
    """Free the bytes of expired files. Uploads call this, because they make the store grow."""
    for row in store.rows(f"SELECT {_COLUMNS} FROM files WHERE expires <= ?", now):  # noqa: S608
        remove_file(store, File(*row))


def download_file(exchange: Exchange) -> JsonObject | Response:
    """The bytes of a result file, which is deleted with its job."""
    short = exchange.params["id"]
    if not short.startswith(_RESULT_FILE):
        _file(exchange)
        raise Refused(400, f"File {short} was uploaded: only generated files can be downloaded.")
    job = find_job(exchange.store, API, f"batches/{short.removeprefix(_RESULT_FILE)}")
    if job is None or not _readable(exchange, job):
        raise _gone(short)
    if exchange.request.param("alt", "$alt") != "media":
        return {}
    return Response(200, {"content-type": "application/octet-stream"}, result_lines(exchange.store, job))


def check_file_id(short: str) -> None:
    """Raise Refused (400) for an id that the Files API does not accept. Source: reference 2.1, 2.3."""
    if len(short) > _LONGEST_ID:
        raise Refused(400, f"File ID {short} cannot be more than {_LONGEST_ID} characters.")
    if not _FILE_ID.fullmatch(short):
        raise Refused(400, "File IDs consist of lowercase letters, digits and dashes, with no dash at either end.")


def _readable(exchange: Exchange, job: Job) -> bool:
    if job.deleted is not None or job.input_file is None or not has_results(job, exchange.settings, exchange.now):
        return False
    ended = job.progress(exchange.settings, exchange.now).ended
    return ended is not None and exchange.now >= ended + exchange.settings.result_file_lag


def _file(exchange: Exchange) -> File:
    short = exchange.params["id"]
    check_file_id(short)
    file = find_file(exchange.store, f"files/{short}", exchange.now)
    if file is None:
        raise _gone(short)
    return file


def _gone(short: str) -> Refused:
    """A missing file is 403, not 404. Source: reference 2.3."""
    return Refused(403, f"You do not have permission to access the File {short} or it may not exist.")
