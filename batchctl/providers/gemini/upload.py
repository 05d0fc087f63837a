"""Upload of an input file by the resumable protocol, of any size, holding one chunk at a time.

Source: reference 2.1, 2.2. Starting an upload twice is harmless: one that is never finalised is nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

import httpx

from batchctl.model.codes import ErrorCode
from batchctl.model.desired import Json
from batchctl.model.errors import ApiError, BadReply, ReplyLost
from batchctl.providers.endpoint import Call, Endpoint, Reply, Timeouts
from batchctl.providers.gemini.names import is_file_name
from batchctl.providers.retry import Retry, is_transient
from batchctl.providers.texts import as_object, whole_characters
from batchctl.providers.times import parse_time

CHUNK = 8 * 2**20
"""Bytes of one POST (reference 2.1)."""
_WHAT = "files.upload"
_MIME = "jsonl"
_NAME_LIMIT = 512
"""Characters of a file's display name (reference 2.2)."""
_TIMEOUTS = Timeouts(read=120.0, total=900.0)
_STATUS = "x-goog-upload-status"


class FileUpload:
    """One resumable upload. Raises ApiError everywhere."""

    def __init__(self, endpoint: Endpoint, retry: Retry, size: int) -> None:
        self._endpoint = endpoint
        self._retry = retry
        self._size = size
        self._url = ""

    def run(self, content: Iterable[bytes], display_name: str) -> tuple[str, datetime | None]:
        """Send the whole content; gives the file's name and when it expires."""
        self._url = self._start(display_name)
        offset = 0
        for chunk, last in _chunks(content, self._size):
            reply = self._send(chunk, offset, last=last)
            offset += len(chunk)
            if last:
                return self._file(reply)
        raise AssertionError("the last chunk ends the upload")

    def _start(self, display_name: str) -> str:
        meta = {"displayName": whole_characters(display_name)[:_NAME_LIMIT], "mimeType": _MIME}
        call = Call(
            _WHAT,
            "POST",
            "/upload/v1beta/files",
            headers={
                "X-Goog-Upload-Protocol": "resumable",
                "X-Goog-Upload-Command": "start",
                "X-Goog-Upload-Header-Content-Length": str(self._size),
                "X-Goog-Upload-Header-Content-Type": _MIME,
            },
            body=json.dumps({"file": meta}).encode(),
        )
        url = str(self._retry.run(lambda: self._endpoint.call(call)).headers.get("x-goog-upload-url", ""))
        try:
            place = httpx.URL(url)
        except httpx.InvalidURL as exc:
            raise BadReply(f"{_WHAT}: the address for the bytes is not a URL") from exc
        if not self._endpoint.trusts(place):
            raise BadReply(
                f"{_WHAT}: the API wants the bytes at an address that is not its own",
                hint="check the endpoint: input goes to it and to nothing else that it names",
            )
        return url

    def _send(self, chunk: bytes, offset: int, *, last: bool) -> Reply:
        """Send one chunk, the rest of it again after a failure, until the server has it all."""
        done = 0
        for attempt in range(1, self._retry.attempts + 1):
            try:
                reply = self._post("upload, finalize" if last else "upload", chunk[done:], offset + done)
                _expect(reply, last=last)
            except ApiError as error:
                final = attempt == self._retry.attempts
                if not _again(error) or final or not self._retry.pause(attempt, error):
                    raise
                status = self._query(error)
                if status.headers.get(_STATUS) == "final" and last and status.body:
                    return status
                done = self._received(status, error) - offset
                if not 0 <= done <= len(chunk):
                    raise ReplyLost(f"{_WHAT}: the server lost a part of the file; upload it again") from error
                if done == len(chunk) and not last:
                    return status
            else:
                return reply
        raise AssertionError("the last attempt returns or raises")

    def _post(self, command: str, body: bytes = b"", offset: int | None = None) -> Reply:
        headers = {"X-Goog-Upload-Command": command}
        if offset is not None:
            headers |= {"X-Goog-Upload-Offset": str(offset), "Content-Type": "application/octet-stream"}
        return self._endpoint.call(Call(_WHAT, "POST", self._url, headers=headers, body=body, timeouts=_TIMEOUTS))

    def _query(self, error: ApiError) -> Reply:
        """Ask how far the upload is. A server that cannot say leaves us with the first error."""
        try:
            return self._retry.run(lambda: self._post("query"))
        except ApiError as exc:
            raise error from exc

    def _received(self, status: Reply, error: ApiError) -> int:
        text = status.headers.get("x-goog-upload-size-received", "")
        if status.headers.get(_STATUS) != "active" or not (text.isascii() and text.isdecimal()):
            raise error
        return int(text)

    def _file(self, reply: Reply) -> tuple[str, datetime | None]:
        file = as_object(reply.json_object().get("file"))
        name = file.get("name")
        if not is_file_name(name):
            raise BadReply(f"{_WHAT}: the uploaded file has no usable name")
        if not _same_size(file.get("sizeBytes"), self._size):
            raise BadReply(f"{_WHAT}: {self._size} bytes were sent, but the API's file has {file['sizeBytes']!r:.40}")
        if file.get("state") == "FAILED":
            raise BadReply(f"{_WHAT}: the API could not process the file", hint="check that it is JSONL in UTF-8")
        return name, parse_time(file.get("expirationTime"))


class _StatusMissing(BadReply):
    """A chunk's answer without the status header: nobody knows what became of the chunk."""


def _again(error: ApiError) -> bool:
    return isinstance(error, _StatusMissing) or is_transient(error)


def _expect(reply: Reply, *, last: bool) -> None:
    status = reply.headers.get(_STATUS)
    if status is None:
        raise _StatusMissing(f"{_WHAT}: an answer without {_STATUS}")
    if status != ("final" if last else "active"):
        end = "all bytes were sent" if last else "bytes were left to send"
        raise BadReply(f"{_WHAT}: the upload is {whole_characters(status)[:40]!r} although {end}")


def _same_size(found: Json, size: int) -> bool:
    return found is None or str(found) == str(size)


def _chunks(content: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Cut the content into chunks, each with whether it is the last; the last comes only when the size fits."""
    held = bytearray()
    sent = 0
    for piece in content:
        held += piece
        while len(held) > CHUNK:
            sent += CHUNK
            if sent >= size:
                raise _changed(size)
            yield bytes(held[:CHUNK]), False
            del held[:CHUNK]
    if sent + len(held) != size:
        raise _changed(size)
    yield bytes(held), True


def _changed(size: int) -> ApiError:
    return ApiError(
        f"{_WHAT}: the file does not have the {size} bytes that were announced",
        code=ErrorCode.INPUT_CHANGED,
        hint="something wrote to it meanwhile; run the command again",
    )
