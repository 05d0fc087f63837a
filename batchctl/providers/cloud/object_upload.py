"""Resumable uploads to Cloud Storage: a session, chunks with Content-Range, and 308 until the last chunk.

Source: reference chapter 4 (`ifGenerationMatch=0`: create the object, never replace it); storage v1, `objects.insert`.
"""

from __future__ import annotations

import json
import re

from batchctl.model.errors import ApiError, BadReply
from batchctl.providers.cloud.addresses import ObjectPath, bucket_path, object_path
from batchctl.providers.http.calls import Call, Reply
from batchctl.providers.http.endpoint import Endpoint
from batchctl.providers.resumable import TIMEOUTS, UploadProgress, session_url
from batchctl.providers.retry import Retry, is_transient

NO_OBJECT = "0"
"""The generation of an object that does not exist."""
_WHAT = "storage.objects.insert"
_GO_ON = 308
_RECEIVED = re.compile(r"bytes=0-([0-9]{1,18})")


class ObjectSession:
    """One upload of a new object. Its session URL is authorization enough, so calls to it carry no credentials."""

    what = _WHAT

    def __init__(self, endpoint: Endpoint, url: str, size: int) -> None:
        self._endpoint = endpoint
        self._url = url
        self._size = size

    @classmethod
    def start(
        cls,
        endpoint: Endpoint,
        retry: Retry,
        path: ObjectPath,
        size: int,
        content_type: str,
        generation: str = NO_OBJECT,
    ) -> ObjectSession:
        """Start an upload that replaces this generation. Raises ApiError.

        Safe to repeat: an unfinished upload creates no object.
        """
        object_path(path)  # raises for an invalid object name
        call = Call(
            _WHAT,
            "POST",
            f"/upload/storage/v1{bucket_path(path.bucket)}",
            params={"uploadType": "resumable", "name": path.name, "ifGenerationMatch": generation},
            headers={"x-upload-content-type": content_type, "x-upload-content-length": str(size)},
            body=json.dumps({"contentType": content_type}).encode(),
        )
        url = retry.run(lambda: endpoint.call(call)).headers.get("location", "")
        return cls(endpoint, session_url(endpoint, str(url), _WHAT), size)

    def post(self, body: bytes, offset: int, *, last: bool) -> UploadProgress:
        span = f"{offset}-{offset + len(body) - 1}" if body else "*"
        progress = self._put(span, body)
        if progress.end is not None and not last:
            raise BadReply(f"{_WHAT}: the upload ended before all bytes were sent")
        return progress

    def ask(self) -> UploadProgress | None:
        return self._put("*", b"")

    def may_repeat(self, error: ApiError) -> bool:
        return is_transient(error)

    def _put(self, span: str, body: bytes) -> UploadProgress:
        headers = {"content-range": f"bytes {span}/{self._size}", "content-type": "application/octet-stream"}
        call = Call(
            _WHAT, "PUT", self._url, headers=headers, body=body, timeouts=TIMEOUTS, accepted=frozenset({_GO_ON})
        )
        reply = self._endpoint.call(call)
        return UploadProgress(_received(reply)) if reply.http == _GO_ON else UploadProgress(self._size, reply)


def _received(reply: Reply) -> int:
    """How many bytes the service has stored; 0 when the reply has no range."""
    text = reply.headers.get("range")
    match = _RECEIVED.fullmatch(text or "")
    if text is not None and match is None:
        raise BadReply(f"{_WHAT}: the service did not report how many bytes it has stored")
    return int(match[1]) + 1 if match else 0
