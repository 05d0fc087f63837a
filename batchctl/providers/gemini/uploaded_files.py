"""Idempotent uploads: a file's name is derived from its content, so a repeated upload finds the same file.

The Files API has no other idempotency key. A name belongs to one stack and one period of time, so that each file lives
long enough after its use. Source: reference 2.1 (names), 2.2, 2.3 (another project's file gives 403).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from batchctl.model.errors import ApiStatus, BadReply, Conflict, NotFound, PermissionDenied
from batchctl.model.json_value import Json
from batchctl.model.ports.providers import FileUse, Upload
from batchctl.providers import job_members
from batchctl.providers.gemini.file_upload import FileUpload, follow_file
from batchctl.providers.http.calls import Call
from batchctl.providers.http.endpoint import Endpoint
from batchctl.providers.key_locks import KeyLocks
from batchctl.providers.paging import Paging, pages
from batchctl.providers.reply_times import parse_time
from batchctl.providers.retry import Retry
from batchctl.providers.untrusted_text import as_object

LIFETIME = timedelta(hours=48)
"""How long the API keeps an uploaded file (reference 2.2)."""
STORAGE = 20 * 2**30
"""Bytes of files that one project may store (reference chapter 10)."""
_PAGING = Paging(size=100)
_SHORTEST_SPAN = timedelta(hours=1)
_PREFIX = "batchctl-"
_ID_LENGTH = 40
"""Characters of a name that the caller chooses (reference 2.1)."""
_MOST_NAMES = 5
_CONFLICT = 409


class Uploads:
    """The uploads of one stack to one account. Every method raises ApiError."""

    def __init__(self, endpoint: Endpoint, retry: Retry, uid: str, min_life: timedelta) -> None:
        self._endpoint = endpoint
        self._retry = retry
        self._uid = uid
        self._min_life = min_life
        self._locks = KeyLocks()

    def put(self, upload: Upload) -> tuple[str, datetime | None]:
        """The file's name and expiry; uploads it unless it is already stored and lives long enough.

        Skips names that are taken by another file.
        """
        with self._locks.hold(upload.sha256):
            return self._put(upload)

    def delete(self, name: str) -> None:
        """Delete a file that `put` created, and no other. Raises NotFound or PermissionDenied when it is gone."""
        if is_own_file(name):
            call = Call("files.delete", "DELETE", f"/{name}")
            self._retry.run(lambda: self._endpoint.call(call))

    def use(self) -> FileUse:
        """The stored files of the key's project."""
        what = "files.list"

        def read(page: Mapping[str, str]) -> Mapping[str, Json]:
            call = Call(what, "GET", "/files", params=page)
            return self._retry.run(lambda: self._endpoint.call(call).json_object())

        found = [
            as_object(entry)
            for page in pages(read, "files", what, _PAGING, seconds=self._retry.total, elapsed=self._retry.elapsed)
            for entry in page
        ]
        sizes = [job_members.count(file.get("sizeBytes")) or 0 for file in found]
        own = [size for file, size in zip(found, sizes, strict=True) if is_own_file(str(file.get("name")))]
        return FileUse(len(found), sum(sizes), len(own), sum(own), STORAGE)

    def _put(self, upload: Upload) -> tuple[str, datetime | None]:
        sending = FileUpload(self._endpoint, self._retry, upload.size)
        refusal: ApiStatus | None = None
        for number in range(_MOST_NAMES):
            name = file_name(self._uid, upload.sha256, self._span(), number)
            try:
                url = sending.start(name, upload.display_name)
            except (Conflict, PermissionDenied) as error:
                if not _is_taken(error):
                    raise
                refusal = error
                found = self._find(name, upload)
                if found is not None:
                    return found
                continue
            try:
                return sending.send(url, upload.content)
            except Conflict as error:
                # Another process uploaded the same file first.
                found = self._find(name, upload)
                if found is None:
                    raise error from None
                return found
        if isinstance(refusal, PermissionDenied):
            # More likely a problem of the key than of all names.
            raise refusal
        raise BadReply(
            f"files.create: {_MOST_NAMES} names are taken by other files",
            hint="delete old files of this stack, or wait until they expire",
        )

    def _span(self) -> int:
        """The number of the current period of time."""
        span = max(_SHORTEST_SPAN, LIFETIME - self._min_life)
        return int(self._endpoint.clock.now().timestamp() // span.total_seconds())

    def _find(self, name: str, upload: Upload) -> tuple[str, datetime | None] | None:
        """The file of that name if it can be used again: same content, and it lives long enough."""
        call = Call("files.get", "GET", f"/{name}")
        try:
            file = self._retry.run(lambda: self._endpoint.call(call).json_object())
        except (NotFound, PermissionDenied):
            return None
        expires = parse_time(file.get("expirationTime"))
        lives = expires is not None and expires - self._endpoint.clock.now() >= self._min_life
        same = _is_hash(file.get("sha256Hash"), upload.sha256) and str(file.get("sizeBytes")) == str(upload.size)
        usable = lives and same and file.get("state") != "FAILED"
        return follow_file({**file, "name": name}, self._endpoint, self._retry) if usable else None


def is_own_file(name: str) -> bool:
    """Whether batchctl chose the file's name."""
    return name.startswith(f"files/{_PREFIX}")


def file_name(uid: str, sha256: str, span: int, number: int) -> str:
    """The file name for a content. `number` counts past names that are taken."""
    digest = hashlib.sha256(f"{uid} {sha256} {span} {number}".encode()).hexdigest()
    return f"files/{(_PREFIX + digest)[:_ID_LENGTH]}"


def _is_taken(error: ApiStatus) -> bool:
    return isinstance(error, PermissionDenied) or error.http == _CONFLICT


def _is_hash(found: Json, sha256: str) -> bool:
    """Whether a file has this hash: the API was observed to send base64 of the hex digest instead of the bytes."""
    usual = base64.b64encode(bytes.fromhex(sha256)).decode()
    return found in (base64.b64encode(sha256.encode()).decode(), usual)
