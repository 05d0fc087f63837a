"""Cloud Storage: lists objects, reads their metadata and bytes, and creates and deletes them.

Validates replies; knows nothing about jobs. All reads are retried. Source: reference chapter 4; storage v1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import BinaryIO

from msgspec import Struct

from batchctl.model.allowance import Allowance
from batchctl.model.errors import ApiError, BadReply, BadRequest, NotFound, ReplyLost
from batchctl.model.json_value import Json
from batchctl.providers import job_members
from batchctl.providers.cloud.addresses import ObjectPath, bucket_path, object_path
from batchctl.providers.cloud.object_upload import ObjectSession
from batchctl.providers.cloud.refusals import http_of, naming_bucket
from batchctl.providers.http.calls import Call, transfer
from batchctl.providers.http.endpoint import Endpoint
from batchctl.providers.http.watch import Pace
from batchctl.providers.paging import Paging, pages
from batchctl.providers.reply_times import parse_http_date, parse_time
from batchctl.providers.resumable import CHUNK, TIMEOUTS, send_all
from batchctl.providers.retry import Retry, is_transient
from batchctl.providers.untrusted_text import as_object

_ROOT = "/storage/v1"
_GET = "storage.objects.get"
_INSERT = "storage.objects.insert"
_FIELDS = "name,size,generation,md5Hash,timeCreated"
_GENERATION = re.compile(r"[0-9]{1,19}")
"""An int64, as text."""
_PAGING = Paging("maxResults", 1000, beside={"kind": frozenset({"storage#objects"})})
_READER = "roles/storage.objectViewer"
_DELETER = "roles/storage.objectUser"
_WRITER = "roles/storage.objectCreator"
_DOWNLOAD_LIMIT = 2**40
"""Bytes of one object. They are streamed, so the limit only stops an endless reply."""
_PLAIN_REFUSALS = frozenset({403, 404, 412})
"""Statuses with which a read of bytes may fail in plain text; the metadata call gives the API's own error."""
_CHANGED = 412
_AS_STORED = "identity"


class StoredObject(Struct, frozen=True):
    """An object as it was at one moment."""

    path: ObjectPath
    size: int
    generation: str
    """Changes whenever the object is overwritten."""
    md5: str | None
    """Base64 of the MD5 of the bytes; None for a composite object."""
    created: datetime | None = None
    """When this generation was written."""


class Storage:
    """A client of Cloud Storage at one endpoint. Thread-safe."""

    def __init__(self, endpoint: Endpoint, retry: Retry, *, on_emulator: bool = False) -> None:
        self._endpoint = endpoint
        self._retry = retry
        self._on_emulator = on_emulator

    def _naming(self, bucket: str, *roles: str) -> AbstractContextManager[None]:
        return naming_bucket(bucket, *roles, on_emulator=self._on_emulator)

    def now(self) -> datetime:
        """The service's clock, in UTC."""
        return self._endpoint.clock.now()

    def list(self, prefix: ObjectPath) -> Iterator[StoredObject]:
        """All objects whose names begin with the prefix, each once. Raises ApiError when any page fails."""
        what = "storage.objects.list"
        params = {"prefix": prefix.name, "fields": f"items({_FIELDS}),nextPageToken"}

        def read(page: Mapping[str, str]) -> Mapping[str, Json]:
            return self._json(Call(what, "GET", f"{_ROOT}{bucket_path(prefix.bucket)}", params={**params, **page}))

        names: set[str] = set()
        with self._naming(prefix.bucket, _READER):
            for entries in pages(read, "items", what, _PAGING, seconds=self._retry.total, elapsed=self._retry.elapsed):
                for found in [_stored(entry, prefix.bucket, what) for entry in entries]:
                    if not found.path.name.startswith(prefix.name):
                        raise BadReply(f"{what}: asked for {prefix}, got {found.path}")
                    if found.path.name not in names:
                        names.add(found.path.name)
                        yield found

    def get(self, path: ObjectPath) -> StoredObject:
        """One object's metadata. Raises ApiError; NotFound also when the bucket does not exist."""
        with self._naming(path.bucket, _READER):
            found = self._json(Call(_GET, "GET", f"{_ROOT}{object_path(path)}", params={"fields": _FIELDS}))
        return self._same(found, path, _GET)

    def find(self, path: ObjectPath) -> StoredObject | None:
        """One object's metadata; None when the object does not exist."""
        try:
            return self.get(path)
        except NotFound:
            return None

    def find_dated(self, path: ObjectPath) -> tuple[StoredObject, datetime | None] | None:
        """One object's metadata and the service's time of the reply; None when the object does not exist."""
        call = Call(_GET, "GET", f"{_ROOT}{object_path(path)}", params={"fields": _FIELDS})
        try:
            with self._naming(path.bucket, _READER):
                reply = self._retry.run(lambda: self._endpoint.call(call))
        except NotFound:
            return None
        return self._same(reply.json_object(), path, _GET), parse_http_date(reply.headers.get("date"))

    def read(self, item: StoredObject) -> Iterator[bytes]:
        """The object's bytes at the generation that was found, streamed.

        A broken stream resumes where it stopped, a few times, as long as bytes arrive. Raises ApiError: BadRequest with
        HTTP 412 when the object was overwritten in the meantime, ReplyLost when the end does not arrive.
        """
        retry = self._retry
        stream, at = _Bytes(self._endpoint, item, retry.total), 0
        allowance = Allowance(retry.total, now=retry.elapsed)
        for attempt in range(1, self._retry.attempts + 1):
            try:
                with self._naming(item.path.bucket, _READER):
                    yield from stream.rest()
            except ApiError as error:
                if stream.position - at >= Pace().size:
                    allowance, at = Allowance(retry.total, now=retry.elapsed), stream.position
                is_hopeless = attempt == self._retry.attempts or not stream.can_go_on or not is_transient(error)
                if is_hopeless or self._retry.pause(attempt, error, allowance=allowance) is None:
                    raise self._explained(item, error) from error
            else:
                return

    def create(self, path: ObjectPath, content: Iterable[bytes], size: int, content_type: str) -> StoredObject:
        """Upload a new object in chunks; never overwrites an existing one.

        Raises ApiError: BadRequest with HTTP 412 when the object exists, `InputChanged` when the content does not have
        `size` bytes.
        """
        with self._naming(path.bucket, _WRITER, _READER):
            session = ObjectSession.start(self._endpoint, self._retry, path, size, content_type)
            reply = send_all(session, self._retry, content, size, CHUNK)
        return self._same(reply.json_object(), path, session.what)

    def replace(
        self, path: ObjectPath, content: BinaryIO, size: int, content_type: str, generation: str
    ) -> StoredObject:
        """Upload an object in place of this generation; `NO_OBJECT`: in place of none.

        A small one is sent once, in one call, and not repeated. Raises ApiError: BadRequest with HTTP 412 when the
        object has another generation.
        """
        with self._naming(path.bucket, _DELETER):
            if size <= CHUNK:
                return self._same(self._insert(path, content.read(), content_type, generation), path, _INSERT)
            session = ObjectSession.start(self._endpoint, self._retry, path, size, content_type, generation)
            reply = send_all(session, self._retry, iter(lambda: content.read(CHUNK), b""), size, CHUNK)
        return self._same(reply.json_object(), path, session.what)

    def _insert(self, path: ObjectPath, content: bytes, content_type: str, generation: str) -> dict[str, Json]:
        object_path(path)  # raises for an invalid object name
        call = Call(
            _INSERT,
            "POST",
            f"/upload/storage/v1{bucket_path(path.bucket)}",
            params={"uploadType": "media", "name": path.name, "ifGenerationMatch": generation},
            headers={"content-type": content_type},
            body=content,
            timeouts=TIMEOUTS,
        )
        return self._endpoint.call(call).json_object()

    def delete(self, path: ObjectPath) -> None:
        """Delete an object. Raises ApiError; NotFound when it does not exist."""
        call = Call("storage.objects.delete", "DELETE", f"{_ROOT}{object_path(path)}")
        with self._naming(path.bucket, _DELETER):
            self._retry.run(lambda: self._endpoint.call(call))

    def _json(self, call: Call) -> dict[str, Json]:
        return self._retry.run(lambda: self._endpoint.call(call).json_object())

    def _same(self, found: Json, path: ObjectPath, what: str) -> StoredObject:
        item = _stored(found, path.bucket, what)
        if item.path != path:
            raise BadReply(f"{what}: asked for {path}, got {item.path}")
        return item

    def _explained(self, item: StoredObject, error: ApiError) -> ApiError:
        """The API's own error for refused bytes: the metadata call gives it as JSON."""
        if http_of(error) not in _PLAIN_REFUSALS:
            return error
        if isinstance(error, BadReply):
            try:
                known = self.get(item.path)
            except ApiError as plain:
                return plain
            if known.generation == item.generation:
                return error
        if http_of(error) == _CHANGED or isinstance(error, BadReply):
            return BadRequest(
                f"{item.path} was overwritten while it was read",
                http=_CHANGED,
                hint="run the command again; if it happens again, another program writes to it",
            )
        return error


class _Bytes:
    """One download, which can resume from its position."""

    def __init__(self, endpoint: Endpoint, item: StoredObject, patience: float) -> None:
        self._endpoint = endpoint
        self._timeouts = transfer(patience)
        self._item = item
        self.position = 0
        self.can_go_on = True
        """Whether bytes arrive uncompressed, so that a position in the stream is a position in the object."""

    def rest(self) -> Iterator[bytes]:
        """The remaining bytes. Raises ApiError."""
        item, start = self._item, self.position
        if start and start == item.size:
            return
        # No compression in transit: a position in the stream has to be a position in the object.
        headers = {"accept-encoding": _AS_STORED, **({"range": f"bytes={start}-"} if start else {})}
        what = _GET
        call = Call(
            what,
            "GET",
            f"{_ROOT}{object_path(item.path)}",
            params={"alt": "media", "ifGenerationMatch": item.generation},
            headers=headers,
            timeouts=self._timeouts,
            limit=_DOWNLOAD_LIMIT,
        )
        with self._endpoint.stream(call) as (came, chunks):
            if start and not came.get("content-range", "").startswith(f"bytes {start}-"):
                self.can_go_on = False
                raise ReplyLost(f"{what}: {item.path} was cut off after {start} bytes and cannot be resumed")
            self.can_go_on = all(
                came.get(name, _AS_STORED) == _AS_STORED
                for name in ("content-encoding", "x-goog-stored-content-encoding")
            )
            for chunk in chunks:
                self.position += len(chunk)
                yield chunk
        if self.can_go_on and self.position != item.size:
            raise ReplyLost(f"{what}: {item.path} ended after {self.position} of {item.size} bytes")


def _stored(value: Json, bucket: str, what: str) -> StoredObject:
    found = as_object(value)
    name, md5 = found.get("name"), found.get("md5Hash")
    size, generation = job_members.count(found.get("size")), str(found.get("generation"))
    if not isinstance(name, str) or not name:
        raise BadReply(f"{what}: an object without a name", hint="is the endpoint Cloud Storage?")
    if size is None or not _GENERATION.fullmatch(generation):
        raise BadReply(f"{what}: an object without a usable size or generation: {ascii(name)[:200]}")
    known_md5, created = md5 if isinstance(md5, str) else None, parse_time(found.get("timeCreated"))
    return StoredObject(ObjectPath(bucket, name), size, generation, known_md5, created)
