"""The buckets and objects in the store: what is kept of them, how they are found, put and deleted.

An object appears whole or not at all. What a caller may ask of one over the wire is told by the calls.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from batchctl.emulator.globs import PathGlob
from batchctl.emulator.names import fresh_id
from batchctl.emulator.storage.crc32c import crc32c
from batchctl.emulator.store import Store

_BLOB_LENGTH = 36
_BLOCK = 1000
"""Rows that are read from the store at once while a bucket is gone through."""
_URI = re.compile(r"gs://([^/*]+)/(.+)", re.DOTALL)
_DEFAULT_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class Bucket:
    """One bucket as stored. Times in nanoseconds since 1970."""

    name: str
    project: str
    location: str
    """Empty where nobody said; then no job is refused for it."""
    created: int


@dataclass(frozen=True)
class Object:
    """One live object as stored; older generations are not kept. Times in nanoseconds since 1970."""

    bucket: str
    name: str
    blob: str
    """Its bytes in the store."""
    size: int
    generation: int
    """Grows with every object that is put, under whatever name."""
    metageneration: int
    md5: str
    """In base64, like the next one."""
    crc32c: str
    content_type: str
    created: int
    updated: int
    """The last change of its metadata."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """What else of the resource the caller gave, such as `metadata`."""


@dataclass(frozen=True)
class Measure:
    """What follows from bytes alone; the two checksums in base64."""

    size: int
    md5: str
    crc32c: str


def find_bucket(store: Store, name: str) -> Bucket | None:
    """The bucket of that name, whoever's it is: names are one space for all projects."""
    found = store.rows("SELECT name, project, location, created FROM buckets WHERE name = ?", name)
    return Bucket(*found[0]) if found else None


def add_bucket(store: Store, name: str, project: str, now: int, location: str = "") -> Bucket:
    """Store a new bucket; its name must be free."""
    bucket = Bucket(name, project, location, now)
    store.insert("buckets", vars(bucket))
    return bucket


def buckets_from(store: Store, project: str, start: str) -> list[Bucket]:
    """The project's buckets whose names are not before `start`, by name."""
    sql = "SELECT name, project, location, created FROM buckets WHERE project = ? AND name >= ? ORDER BY name"
    return [Bucket(*row) for row in store.rows(sql, project, start)]


def remove_bucket(store: Store, bucket: Bucket) -> None:
    """Take the bucket out of the store; its objects must be gone."""
    store.change("DELETE FROM buckets WHERE name = ?", bucket.name)


_COLUMNS = "bucket, name, blob, size, generation, metageneration, md5, crc32c, content_type, created, updated, more"


def find_object(store: Store, bucket: str, name: str) -> Object | None:
    """The live object of that name."""
    sql = f"SELECT {_COLUMNS} FROM objects WHERE bucket = ? AND name = ?"  # noqa: S608  own names
    found = store.rows(sql, bucket, name)
    return _object(found[0]) if found else None


def objects_from(store: Store, bucket: str, start: str) -> Iterator[Object]:
    """The bucket's objects whose names are not before `start`, by name in the order of their UTF-8 bytes."""
    sql = f"SELECT {_COLUMNS} FROM objects WHERE bucket = ? AND name >= ? ORDER BY name LIMIT ?"  # noqa: S608
    while found := store.rows(sql, bucket, start, _BLOCK):
        yield from map(_object, found)
        start = f"{found[-1][1]}\0"


def match_objects(store: Store, uri: str) -> list[Object]:
    """The objects that a `gs://bucket/path` means, sorted by name.

    `*` stands for anything within one folder, `**` for anything at all. Nothing is matched by what is no such URI.
    """
    found = _URI.fullmatch(uri)
    if found is None:
        return []
    bucket, path = found.groups()
    start, star, _ = path.partition("*")
    if not star:
        exact = find_object(store, bucket, path)
        return [] if exact is None else [exact]
    pattern = PathGlob(path)
    matched = []
    for candidate in objects_from(store, bucket, start):
        if not candidate.name.startswith(start):
            break
        if pattern.covers(candidate.name):
            matched.append(candidate)
    return matched


def put_object(store: Store, bucket: str, name: str, chunks: Iterable[bytes], content_type: str, now: int) -> Object:
    """Put an object of these bytes, in place of the one of that name if there is one; the bucket must be there."""
    with store.transaction():
        blob = fresh_id(_BLOB_LENGTH)
        store.append(blob, chunks)
        return keep_object(store, bucket, name, blob, measure(store.read(blob)), {"contentType": content_type}, now)


def keep_object(
    store: Store, bucket: str, name: str, blob: str, measured: Measure, given: Mapping[str, Any], now: int
) -> Object:
    """Make an object of stored bytes: the one way in. `given` are the resource's fields that the caller chose."""
    more = {key: value for key, value in given.items() if key != "contentType"}
    row: dict[str, object] = {"bucket": bucket, "name": name, "blob": blob, "size": measured.size}
    row |= {"generation": _next_generation(store, now), "metageneration": 1}
    row |= {"md5": measured.md5, "crc32c": measured.crc32c, "created": now, "updated": now}
    row |= {"content_type": given.get("contentType") or _DEFAULT_TYPE, "more": json.dumps(more)}
    with store.transaction():
        old = find_object(store, bucket, name)
        if old is not None:
            delete_object(store, old)
        store.insert("objects", row)
    kept = find_object(store, bucket, name)
    assert kept is not None
    return kept


def change_object(store: Store, item: Object, content_type: str, more: Mapping[str, Any], now: int) -> Object:
    """Give the object other metadata."""
    changed = replace(item, content_type=content_type, more=more, metageneration=item.metageneration + 1, updated=now)
    store.change(
        "UPDATE objects SET content_type = ?, more = ?, metageneration = ?, updated = ? WHERE blob = ?",
        content_type,
        json.dumps(dict(more)),
        changed.metageneration,
        now,
        item.blob,
    )
    return changed


def delete_object(store: Store, item: Object) -> None:
    """Take the object out of the store, and its bytes when no job needs them."""
    with store.transaction():
        store.change("DELETE FROM objects WHERE bucket = ? AND name = ?", item.bucket, item.name)
        store.drop_unused(item.blob)


def measure(chunks: Iterable[bytes]) -> Measure:
    """Size and checksums of some bytes."""
    # It tells changed bytes apart and keeps no secret.
    digest, crc, size = hashlib.md5(usedforsecurity=False), 0, 0
    for chunk in chunks:
        digest.update(chunk)
        crc = crc32c(chunk, crc)
        size += len(chunk)
    return Measure(size, _base64(digest.digest()), _base64(crc.to_bytes(4, "big")))


def _next_generation(store: Store, now: int) -> int:
    """Microseconds of the clock, as the real service's look, and always more than the last one."""
    generation = max(now // 1000, int(store.meta("generation") or 0) + 1)
    store.put_meta("generation", generation)
    return generation


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _object(row: tuple[Any, ...]) -> Object:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    return Object(**{**values, "more": json.loads(values["more"])})
