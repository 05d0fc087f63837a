"""Cloud Storage: lists of objects, their metadata, their bytes, and the way to put new ones.

Owns what a reply must be; names no purpose. All reads are repeated politely. Source: reference chapter 4; storage v1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from batchctl.model.allowance import Allowance
from batchctl.model.desired import Json
from batchctl.model.errors import ApiError, BadReply, BadRequest, NotFound, ReplyLost
from batchctl.providers import members
from batchctl.providers.cloud.names import ObjectPath, bucket_path, object_path
from batchctl.providers.cloud.object_upload import ObjectSession
from batchctl.providers.cloud.refusals import http_of, told_of_bucket
from batchctl.providers.http.calls import Call, transfer
from batchctl.providers.http.endpoint import Endpoint
from batchctl.providers.http.line import Pace
from batchctl.providers.paging import Paging, pages
from batchctl.providers.resumable import CHUNK, send_all
from batchctl.providers.retry import Retry, is_transient
from batchctl.providers.texts import as_object

_ROOT = "/storage/v1"
_FIELDS = "name,size,generation,md5Hash"
_PAGING = Paging("maxResults", 1000, beside={"kind": frozenset({"storage#objects"})})
_READER = "roles/storage.objectViewer"
_DELETER = "roles/storage.objectUser"
_WRITER = "roles/storage.objectCreator"
_DOWNLOAD_LIMIT = 2**40
"""Bytes of one object; they are never held, so this only ends what would not end."""
_PLAIN_REFUSALS = frozenset({403, 404, 412})
"""What a read of bytes may be refused with in plain text, so that the refusal has to be looked into."""
_CHANGED = 412
_AS_STORED = "identity"


@dataclass(frozen=True)
class StoredObject:
    """An object as it is at one moment."""

    path: ObjectPath
    size: int
    generation: str
    """Another one once somebody wrote the object anew."""
    md5: str | None
    """Of the bytes, in base64; None for an object that was composed of others."""


class Storage:
    """Cloud Storage behind one endpoint. Safe for threads."""

    def __init__(self, endpoint: Endpoint, retry: Retry) -> None:
        self._endpoint = endpoint
        self._retry = retry

    def now(self) -> datetime:
        """The service's clock, in UTC."""
        return self._endpoint.clock.now()

    def list(self, prefix: ObjectPath) -> Iterator[StoredObject]:
        """All objects whose name begins with the prefix's, each once; a failed page raises. Raises ApiError."""
        what = "storage.objects.list"
        params = {"prefix": prefix.name, "fields": f"items({_FIELDS}),nextPageToken"}

        def read(page: Mapping[str, str]) -> Mapping[str, Json]:
            return self._json(Call(what, "GET", f"{_ROOT}{bucket_path(prefix.bucket)}", params={**params, **page}))

        names: set[str] = set()
        with told_of_bucket(prefix.bucket, _READER):
            for entries in pages(read, "items", what, _PAGING, seconds=self._retry.total):
                for found in [_stored(entry, prefix.bucket, what) for entry in entries]:
                    if not found.path.name.startswith(prefix.name):
                        raise BadReply(f"{what}: asked for {prefix}, got {found.path}")
                    if found.path.name not in names:
                        names.add(found.path.name)
                        yield found

    def get(self, path: ObjectPath) -> StoredObject:
        """One object's metadata. Raises ApiError, NotFound also when the whole bucket is not there."""
        what = "storage.objects.get"
        with told_of_bucket(path.bucket, _READER):
            found = self._json(Call(what, "GET", f"{_ROOT}{object_path(path)}", params={"fields": _FIELDS}))
        return self._same(found, path, what)

    def find(self, path: ObjectPath) -> StoredObject | None:
        """The same; None when it is not there."""
        try:
            return self.get(path)
        except NotFound:
            return None

    def read(self, item: StoredObject) -> Iterator[bytes]:
        """The object's bytes as they were when it was found, streamed.

        A broken stream goes on where it broke, a few times, while it gets on. Raises ApiError: BadRequest with HTTP 412
        when somebody wrote the object anew meanwhile, ReplyLost when its end does not come.
        """
        stream, allowance, at = _Bytes(self._endpoint, item, self._retry.total), Allowance(self._retry.total), 0
        for attempt in range(1, self._retry.attempts + 1):
            try:
                with told_of_bucket(item.path.bucket, _READER):
                    yield from stream.rest()
            except ApiError as error:
                if stream.position - at >= Pace.size:
                    allowance, at = Allowance(self._retry.total), stream.position
                is_hopeless = attempt == self._retry.attempts or not stream.can_go_on or not is_transient(error)
                if is_hopeless or self._retry.pause(attempt, error, allowance=allowance) is None:
                    raise self._explained(item, error) from error
            else:
                return

    def create(self, path: ObjectPath, content: Iterable[bytes], size: int, content_type: str) -> StoredObject:
        """Put a new object, in chunks; never writes over one that is there.

        Raises ApiError: BadRequest with HTTP 412 when there is one, `InputChanged` when the content does not have
        `size` bytes.
        """
        with told_of_bucket(path.bucket, _WRITER, _READER):
            session = ObjectSession.start(self._endpoint, self._retry, path, size, content_type)
            reply = send_all(session, self._retry, content, size, CHUNK)
        return self._same(reply.json_object(), path, session.what)

    def delete(self, path: ObjectPath) -> None:
        """Delete an object. Raises ApiError, NotFound when it is not there."""
        call = Call("storage.objects.delete", "DELETE", f"{_ROOT}{object_path(path)}")
        with told_of_bucket(path.bucket, _DELETER):
            self._retry.run(lambda: self._endpoint.call(call))

    def _json(self, call: Call) -> dict[str, Json]:
        return self._retry.run(lambda: self._endpoint.call(call).json_object())

    def _same(self, found: Json, path: ObjectPath, what: str) -> StoredObject:
        item = _stored(found, path.bucket, what)
        if item.path != path:
            raise BadReply(f"{what}: asked for {path}, got {item.path}")
        return item

    def _explained(self, item: StoredObject, error: ApiError) -> ApiError:
        """What a refusal to give bytes means: the object's metadata says it in the API's own words."""
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
                f"{item.path} was written anew while it was read",
                http=_CHANGED,
                hint="run the command again; if it happens again, something else writes there",
            )
        return error


class _Bytes:
    """The reading of one object, from wherever it has got to."""

    def __init__(self, endpoint: Endpoint, item: StoredObject, patience: float) -> None:
        self._endpoint = endpoint
        self._timeouts = transfer(patience)
        self._item = item
        self.position = 0
        self.can_go_on = True
        """Whether the bytes come as they are stored, so that a position in them means something."""

    def rest(self) -> Iterator[bytes]:
        """The bytes that have not come yet. Raises ApiError."""
        item, start = self._item, self.position
        if start and start == item.size:
            return
        # Never compressed on the way: a position in the stream has to be one in the object.
        headers = {"accept-encoding": _AS_STORED, **({"range": f"bytes={start}-"} if start else {})}
        what = "storage.objects.get"
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
                raise ReplyLost(f"{what}: {item.path} was cut off after {start} bytes, and cannot be read from there")
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
    size, generation = members.count(found.get("size")), members.count(found.get("generation"))
    if not isinstance(name, str) or not name:
        raise BadReply(f"{what}: an object without a name", hint="is the endpoint Cloud Storage?")
    if size is None or generation is None:
        raise BadReply(f"{what}: an object without a usable size or generation: {ascii(name)[:200]}")
    return StoredObject(ObjectPath(bucket, name), size, str(generation), md5 if isinstance(md5, str) else None)
