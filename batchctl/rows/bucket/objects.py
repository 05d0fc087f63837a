"""The objects that results are in: each is written once, checked, and never replaced.

So whatever two writers do, no index can have the bytes of the other one.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from batchctl.disk.atomic_file import replace_file
from batchctl.disk.safe_open import open_stream
from batchctl.model.activity import Activity
from batchctl.model.state_objects import ABSENT, ResultObjects, Version
from batchctl.rows.bucket.errors import damaged
from batchctl.rows.bucket.index import IndexedFile

_BLOCK = 2**20
_LARGE = 8 * 2**20
"""Bytes from which on a look at the object is cheaper than another upload."""
_NONCE_BYTES = 8


class Sums(Struct, frozen=True):
    """Size and checksums of a local file."""

    size: int
    sha256: str
    md5: str

    @classmethod
    def of(cls, stream: BinaryIO) -> Sums:
        """Reads the stream to its end. MD5 is what the bucket answers with; it does not protect a secret."""
        sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        while block := stream.read(_BLOCK):
            sha256.update(block)
            md5.update(block)
            size += len(block)
        return cls(size, sha256.hexdigest(), base64.b64encode(md5.digest()).decode("ascii"))


def upload(objects: ResultObjects, name: str, path: Path, sums: Sums, activity: Activity) -> IndexedFile:
    """Write a file to a new object, and check what the bucket has of it. Raises ApiError, ResultsError and OSError.

    An object with the same bytes is used: an earlier run may have written it. One with other bytes stays as it is, and
    the file gets another name.
    """
    with activity.running(f"writing results to {objects.address}{name}", sums.size), open_stream(path) as stream:
        for each in (name, f"{name}.{sums.sha256[:16]}", f"{name}.{secrets.token_hex(_NONCE_BYTES)}"):
            made = _found(objects, each, sums) or objects.put(each, stream, ABSENT)
            if made is None:
                continue
            if not made.has(sums.size, sums.md5):
                raise damaged(f"{objects.address}{each} does not have the bytes that were sent")
            return IndexedFile(each, made.generation, sums.size, sums.sha256, sums.md5)
    raise AssertionError("no other writer has a random name")


def _found(objects: ResultObjects, name: str, sums: Sums) -> Version | None:
    """An object that has these bytes already, if it is worth a look."""
    found = objects.find(name) if sums.size >= _LARGE else Version()
    return found if found.has(sums.size, sums.md5) else None


def download(objects: ResultObjects, file: IndexedFile, path: Path, activity: Activity) -> None:
    """Write the bytes of a file to a path, and check them. Raises ApiError, ResultsError and OSError."""
    found = objects.find(file.object)
    why = why_not_same(file, found)
    if why is not None:
        raise damaged(f"{objects.address}{file.object} {why}")
    sha256 = hashlib.sha256()
    with (
        activity.running(f"reading results from {objects.address}{file.object}", file.bytes) as flow,
        replace_file(path) as stream,
    ):
        for block in objects.read(file.object, found):
            sha256.update(block)
            stream.write(block)
            flow.add(len(block))
        if sha256.hexdigest() != file.sha256:
            raise damaged(f"{objects.address}{file.object} does not have the bytes that were collected")


def why_not_same(file: IndexedFile, found: Version | None) -> str | None:
    """Why an object is not the one of an index; None if it is. A restored copy with the same bytes is."""
    if found is None or found.generation == ABSENT:
        return "is not there any more"
    if found.generation == file.generation or found.has(file.bytes, file.md5):
        return None
    return f"was overwritten: generation {found.generation} has other bytes than {file.generation}"


def each_object(files: Mapping[str, IndexedFile]) -> Iterator[str]:
    """The names of the objects of files."""
    return (file.object for file in files.values())
