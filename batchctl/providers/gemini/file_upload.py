"""Uploads an input file to the Files API by the resumable protocol, under a name that the caller chooses.

Source: reference 2.1, 2.2. Starting an upload twice is safe: an upload that is never finalized creates no file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime

from batchctl.model.allowance import Allowance
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import ApiError, BadReply, BadRequest
from batchctl.model.json_value import Json
from batchctl.providers import job_members
from batchctl.providers.gemini.resource_paths import is_file_name
from batchctl.providers.http.calls import Call, Reply
from batchctl.providers.http.endpoint import Endpoint
from batchctl.providers.reply_times import parse_time
from batchctl.providers.resumable import CHUNK, TIMEOUTS, UploadProgress, send_all, session_url
from batchctl.providers.retry import Retry, is_transient
from batchctl.providers.untrusted_text import as_object, capped, whole_characters

_WHAT = "files.upload"
_MIME = "jsonl"
_NAME_LIMIT = 512
"""Characters of a file's display name (reference 2.2)."""
_FIRST_PAUSE, _LONGEST_PAUSE, _FOLLOW_SECONDS = 1.0, 5.0, 30.0
"""Seconds: first and longest pause between checks of a file in processing, and how long to wait in this pass."""
_STATUS = "x-goog-upload-status"
_WORD = re.compile(r"[a-z]{1,16}")


class FileUpload:
    """One resumable upload. Every method raises ApiError."""

    def __init__(self, endpoint: Endpoint, retry: Retry, size: int) -> None:
        self._endpoint = endpoint
        self._retry = retry
        self._size = size

    def start(self, name: str, display_name: str) -> str:
        """Announce the file; gives the URL for its bytes. Raises Conflict when the name is taken."""
        meta = {"name": name, "displayName": whole_characters(display_name)[:_NAME_LIMIT], "mimeType": _MIME}
        call = Call(
            _WHAT,
            "POST",
            "/files",
            root_prefix="/upload",
            headers={
                "X-Goog-Upload-Protocol": "resumable",
                "X-Goog-Upload-Command": "start",
                "X-Goog-Upload-Header-Content-Length": str(self._size),
                "X-Goog-Upload-Header-Content-Type": _MIME,
            },
            body=json.dumps({"file": meta}).encode(),
        )
        url = self._retry.run(lambda: self._endpoint.call(call)).headers.get("x-goog-upload-url", "")
        return session_url(self._endpoint, str(url), _WHAT)

    def send(self, url: str, content: Iterable[bytes]) -> tuple[str, datetime | None]:
        """Send the content; gives the file's name and expiry."""
        session = _FileSession(self._endpoint, url, self._size)
        return self._file(send_all(session, self._retry, content, self._size, CHUNK))

    def _file(self, reply: Reply) -> tuple[str, datetime | None]:
        file = as_object(reply.json_object().get("file"))
        name = file.get("name")
        if not is_file_name(name):
            raise BadReply(f"{_WHAT}: the uploaded file has no usable name")
        if not _same_size(file.get("sizeBytes"), self._size):
            raise BadReply(f"{_WHAT}: {self._size} bytes were sent, but the API reports {file['sizeBytes']!r:.40}")
        return follow_file(file, self._endpoint, self._retry)


class _FileSession:
    """The protocol of the Files API, whose commands and answers are headers."""

    what = _WHAT

    def __init__(self, endpoint: Endpoint, url: str, size: int) -> None:
        self._endpoint = endpoint
        self._url = url
        self._size = size

    def post(self, body: bytes, offset: int, *, last: bool) -> UploadProgress:
        command = "upload, finalize" if last else "upload"
        headers = {"X-Goog-Upload-Offset": str(offset), "content-type": "application/octet-stream"}
        reply = self._post(command, headers, body)
        _expect(reply, last=last)
        return UploadProgress(offset + len(body), reply if last else None)

    def ask(self) -> UploadProgress | None:
        reply = self._post("query")
        status = reply.headers.get(_STATUS)
        received = reply.headers.get("x-goog-upload-size-received", "")
        if status == "final" and reply.body:
            return UploadProgress(self._size, reply)
        held = job_members.count(received) if status == "active" else None
        return None if held is None else UploadProgress(held)

    def may_repeat(self, error: ApiError) -> bool:
        return isinstance(error, _StatusMissing) or is_transient(error)

    def _post(self, command: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Reply:
        sent = {"X-Goog-Upload-Command": command, **(headers or {})}
        return self._endpoint.call(Call(_WHAT, "POST", self._url, headers=sent, body=body, timeouts=TIMEOUTS))


class _StatusMissing(BadReply):
    """A chunk's reply without the status header: it is unknown whether the chunk was stored."""


def follow_file(file: dict[str, Json], endpoint: Endpoint, retry: Retry) -> tuple[str, datetime | None]:
    """A file's name and expiry, once the API has processed it; waits a short time for that.

    Raises BadRequest: with code `UploadFailed` and the API's message when processing fails, and with code
    `InputNotReady` when it takes longer. A later pass finds the file by its name and continues to wait.
    """
    waiting = retry.activity.running(f"waiting until the API has processed {file['name']}")
    with waiting, Allowance(retry.total, now=retry.elapsed).holding():
        return _follow(file, endpoint, retry)


def _follow(file: dict[str, Json], endpoint: Endpoint, retry: Retry) -> tuple[str, datetime | None]:
    name, clock = str(file["name"]), retry.clock
    pause, left = _FIRST_PAUSE, _FOLLOW_SECONDS
    while file.get("state") == "PROCESSING":
        if left <= 0:
            words = f"{_WHAT}: {name} is still PROCESSING"
            hint = "the API needs minutes for a large file; batchctl tries again"
            raise BadRequest(words, http=400, code=ErrorCode.INPUT_NOT_READY, hint=hint)
        clock.sleep(pause)
        left, pause = left - pause, min(2 * pause, _LONGEST_PAUSE)
        call = Call("files.get", "GET", f"/{name}")
        file = retry.run(lambda call=call: endpoint.call(call).json_object())  # type: ignore[misc]
    if file.get("state") == "FAILED":
        said = as_object(file.get("error")).get("message")
        words = capped(said) if isinstance(said, str) and said.strip() else "the API gave no reason"
        message, hint = f"{_WHAT}: the API could not process the file: {words}", "check that it is JSONL in UTF-8"
        raise BadRequest(message, http=400, code=ErrorCode.UPLOAD_FAILED, hint=hint)
    return name, parse_time(file.get("expirationTime"))


def _expect(reply: Reply, *, last: bool) -> None:
    status = reply.headers.get(_STATUS)
    if status is None:
        raise _StatusMissing(f"{_WHAT}: a reply without the header {_STATUS}")
    if status != ("final" if last else "active"):
        end = "all bytes were sent" if last else "bytes remain to be sent"
        # Headers are not redacted as bodies are, so only words of the protocol are shown.
        shown = status if _WORD.fullmatch(status) else "in an unknown state"
        raise BadReply(f"{_WHAT}: the upload is {shown} although {end}")


def _same_size(found: Json, size: int) -> bool:
    return found is None or str(found) == str(size)
