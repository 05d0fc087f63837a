"""Uploads local files for Vertex AI to a bucket of the user's, each named by the sha256 of its bytes.

So the same file is uploaded once. The folder belongs to one stack, which deletes files that it no longer needs without
affecting others. Decides nothing about jobs. Source: reference chapter 4.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import ApiError, BadReply, BadRequest
from batchctl.model.ports.providers import FileUse, Upload
from batchctl.providers.cloud.addresses import ObjectPath, parse_gs
from batchctl.providers.cloud.refusals import http_of
from batchctl.providers.cloud.storage import Storage, StoredObject
from batchctl.providers.key_locks import KeyLocks
from batchctl.providers.resumable import input_changed, other_size

_FOLDER = "batchctl/"
"""The folder in a bucket that is configured without a prefix."""
_TYPE = "application/jsonl"
_TAKEN = 412


class Staging:
    """One staging folder. `locks` are shared by all accounts that use it. Raises BadRequest for an invalid place."""

    def __init__(self, storage: Storage, place: str, locks: KeyLocks, uid: str) -> None:
        self.place = place
        self._storage = storage
        given = parse_gs(place)
        folder = given.name if not given.name or given.name.endswith("/") else f"{given.name}/"
        self._folder = ObjectPath(given.bucket, f"{folder or _FOLDER}{uid}/")
        self._locks = locks

    def upload(self, upload: Upload) -> str:
        """Upload the file unless it exists; gives its `gs://` address.

        Raises ApiError: with code `InputChanged` when the content differs from what was announced, `StagedFileChanged`
        when another content has its name.
        """
        path = ObjectPath(self._folder.bucket, f"{self._folder.name}{upload.sha256}.jsonl")
        with self._locks.hold(str(path)):
            return self._upload(upload, path)

    def delete(self, name: str) -> None:
        """Delete a file that `upload` created, and no other. Raises ApiError; NotFound when it does not exist."""
        if name.startswith(str(self._folder)):
            self._storage.delete(parse_gs(name))

    def use(self) -> FileUse:
        """The files of this stack in the bucket."""
        sizes = [item.size for item in self._storage.list(self._folder)]
        return FileUse(len(sizes), sum(sizes), len(sizes), sum(sizes))

    def _upload(self, upload: Upload, path: ObjectPath) -> str:
        content = _Content(upload)
        found = self._storage.find(path) or self._create(path, content, upload.size)
        if found is None:
            # Another process created it in the meantime, which is fine if the content is the same.
            found = self._storage.get(path)
        content.finish()
        difference = content.difference(found)
        if difference:
            raise BadRequest(
                f"{path} does not have the content that its name says: {difference}",
                http=_TAKEN,
                code=ErrorCode.STAGED_FILE_CHANGED,
                hint="it was overwritten: delete it, then run the command again",
            )
        return str(path)

    def _create(self, path: ObjectPath, content: _Content, size: int) -> StoredObject | None:
        """Send the file; None when it exists by now."""
        try:
            made = self._storage.create(path, content, size, _TYPE)
        except ApiError as error:
            if http_of(error) != _TAKEN:
                raise
            return None
        difference = content.difference(made)
        if difference:
            raise BadReply(
                f"storage.objects.insert: {path} differs from what was sent: {difference}",
                hint="delete the object, then run the command again",
            )
        return made


class _Content:
    """The bytes of an upload, read once and hashed during reading; `finish` reads the rest."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._pieces = self._hashed()
        self._size = 0
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def finish(self) -> None:
        """Read the remaining bytes. Raises ApiError with code `InputChanged`."""
        for _ in self._pieces:
            pass

    def difference(self, stored: StoredObject) -> str:
        """The difference between a stored object and the bytes read; empty if there is none."""
        if stored.size != self._size:
            return f"it has {stored.size} bytes, and the file has {self._size}"
        md5 = base64.b64encode(self._md5.digest()).decode("ascii")
        return "" if stored.md5 == md5 else f"its MD5 is {ascii(stored.md5)[:40]}, and the file's is {md5!r}"

    def _hashed(self) -> Iterator[bytes]:
        """Raise at the end when the content differs from what was announced: it would not match the object's name."""
        for piece in self._upload.content:
            self._size += len(piece)
            self._sha256.update(piece)
            self._md5.update(piece)
            yield piece
        if self._size != self._upload.size:
            raise other_size("staging", self._upload.size)
        if self._sha256.hexdigest() != self._upload.sha256:
            raise input_changed("staging", "the file's content differs from what was announced")
