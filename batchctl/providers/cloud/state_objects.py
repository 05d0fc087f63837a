"""Keeps a shared state or results in a bucket: conditional writes, and a look at the object where a reply was lost.

Implements `StateObjects` and `ResultObjects`. Source: reference chapter 4; storage v1, `ifGenerationMatch`.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime
from typing import BinaryIO

from batchctl.model.allowance import Allowance
from batchctl.model.errors import ApiError, NotFound
from batchctl.model.stack import Limits
from batchctl.model.state_objects import ABSENT, Version
from batchctl.providers import error_hints
from batchctl.providers.cloud.addresses import ObjectPath, parse_gs
from batchctl.providers.cloud.refusals import http_of
from batchctl.providers.cloud.storage import Storage, StoredObject
from batchctl.providers.credentials import Credentials
from batchctl.providers.http.call_changes import LearnedChanges
from batchctl.providers.http.endpoint import Endpoint
from batchctl.providers.reply_times import ServerClock
from batchctl.providers.resumable import CHUNK
from batchctl.providers.retry import Retry, is_transient
from batchctl.providers.wire import Place, Wire

_TYPE = "application/octet-stream"
_OTHER_GENERATION = 412
_GONE = frozenset({404, 412})
_READ_TRIES = 5
_BLOCK = 2**20


class BucketObjects:
    """The objects whose names begin with one address: that of a state, or the folder of results."""

    def __init__(self, storage: Storage, endpoint: Endpoint, retry: Retry, path: ObjectPath) -> None:
        self._storage = storage
        self._endpoint = endpoint
        self._retry = retry
        self._path = path

    @property
    def address(self) -> str:
        return str(self._path)

    def find(self, suffix: str) -> Version:
        found = self._storage.find_dated(self._at(suffix))
        if found is None:
            return Version()
        item, now = found
        return _version(item, now)

    def fetch(self, suffix: str, into: BinaryIO) -> Version:
        path = self._at(suffix)
        for attempt in range(1, _READ_TRIES + 1):
            found = self._storage.find_dated(path)
            if found is None:
                return Version()
            item, now = found
            try:
                into.writelines(self._storage.read(item))
            except ApiError as error:
                # Another process replaced it between the two calls.
                if attempt == _READ_TRIES or not (isinstance(error, NotFound) or http_of(error) in _GONE):
                    raise
                into.seek(0)
                into.truncate()
            else:
                return _version(item, now)
        raise AssertionError("the last attempt gives or raises")

    def put(self, suffix: str, content: BinaryIO, expected: str) -> Version | None:
        path, size, md5 = self._at(suffix), content.seek(0, os.SEEK_END), _md5(content)
        allowance, waited = Allowance(self._retry.total, now=self._retry.elapsed), 0.0
        for attempt in range(1, self._retry.attempts + 1):
            content.seek(0)
            try:
                with allowance.holding() if size <= CHUNK else nullcontext():
                    made = self._storage.replace(path, content, size, _TYPE, expected)
                return _version(made)
            except ApiError as error:
                is_refused = http_of(error) == _OTHER_GENERATION
                if not is_refused and not is_transient(error):
                    raise
                found = self._find_after(path, error)
                if found != expected:
                    # An earlier try may have arrived although its reply did not.
                    return self._own(path, md5)
                seconds = None
                if attempt < self._retry.attempts:
                    seconds = self._retry.pause(attempt, error, waited, allowance)
                if seconds is None:
                    raise
                waited += seconds
        raise AssertionError("the last attempt gives or raises")

    def list(self) -> Iterator[tuple[str, Version]]:
        start = len(self._path.name)
        return ((item.path.name[start:], _version(item)) for item in self._storage.list(self._path))

    def read(self, suffix: str, version: Version) -> Iterator[bytes]:
        path = self._at(suffix)
        return self._storage.read(StoredObject(path, version.size, version.generation, version.md5, version.written))

    def delete(self, suffix: str) -> None:
        self._storage.delete(self._at(suffix))

    def close(self) -> None:
        self._endpoint.close()

    def _at(self, suffix: str) -> ObjectPath:
        return ObjectPath(self._path.bucket, f"{self._path.name}{suffix}")

    def _find_after(self, path: ObjectPath, error: ApiError) -> str:
        """The generation of an object after a write that failed. Raises the error of the write if it is not known."""
        try:
            found = self._storage.find(path)
        except ApiError as problem:
            raise error from problem
        return ABSENT if found is None else found.generation

    def _own(self, path: ObjectPath, md5: str) -> Version | None:
        """The present version if it has our content; None if another process wrote it."""
        found = self._storage.find(path)
        return _version(found) if found is not None and found.md5 == md5 else None


def open_bucket_objects(url: str, place: Place, wire: Wire, limits: Limits, credentials: Credentials) -> BucketObjects:
    """The objects at `gs://bucket/name`. Raises BadRequest for another address."""
    changes = LearnedChanges(place.user_project or "", always=place.user_project is not None)
    endpoint = Endpoint(
        place.storage_url,
        credentials,
        ServerClock(wire.clock),
        wire.transport,
        error_hints.STORAGE,
        call_changes=changes,
        activity=wire.activity,
    )
    retry = wire.retry(limits)
    return BucketObjects(Storage(endpoint, retry, on_emulator=place.is_emulator), endpoint, retry, parse_gs(url))


def _version(item: StoredObject, now: datetime | None = None) -> Version:
    return Version(item.generation, item.created, now, item.size, item.md5)


def _md5(content: BinaryIO) -> str:
    """MD5 shows whether an object has our content; it does not protect a secret."""
    digest = hashlib.md5(usedforsecurity=False)
    content.seek(0)
    while block := content.read(_BLOCK):
        digest.update(block)
    return base64.b64encode(digest.digest()).decode("ascii")
