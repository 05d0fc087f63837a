"""The buckets and objects in the store: what is stored, and functions to find, put and delete them.

An object appears completely or not at all. The other modules implement the calls.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from batchctl.emulator.globs import PathGlob
from batchctl.emulator.ids import fresh_id
from batchctl.emulator.storage.crc32c import crc32c
from batchctl.emulator.store import Store

_BLOB_LENGTH = 36
_BLOCK = 1000
"""The number of rows that are read from the store at once."""
_URI = re.compile(r"gs://([^/*]+)/(.+)", re.DOTALL)
_DEFAULT_TYPE = "application/octet-stream"


class Bucket(Struct, frozen=True):
    """One bucket as stored. Times are in nanoseconds since 1970."""

    name: str
    project: str
    location: str
    """Empty if none was given; then the bucket is near every job."""
    created: int


class Object(Struct, frozen=True):
    """One live object as stored; older generations are not kept. Times are in nanoseconds since 1970."""

    bucket: str
    name: str
    blob: str
    """The name of its bytes in the store."""
    size: int
    generation: int
    """Grows with every object that is put, under any name."""
    metageneration: int
    md5: str
    """In base64, like `crc32c`."""
    crc32c: str
    content_type: str
    created: int
    updated: int
    """The time of the last change of its metadata."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Other fields of the resource that the caller gave, such as `metadata`."""


class Measure(Struct, frozen=True):
    """Size and checksums of some bytes; the checksums are in base64."""

    size: int
    md5: str
    crc32c: str


def find_bucket(store: Store, name: str) -> Bucket | None:
    """The bucket of this name in any project: all projects share one namespace."""
    found = store.rows("SELECT name, project, location, created FROM buckets WHERE name = ?", name)
    return Bucket(*found[0]) if found else None


def add_bucket(store: Store, name: str, project: str, now: int, location: str = "") -> Bucket:
    """Store a new bucket; its name must be free."""
    bucket = Bucket(name, project, location, now)
    store.insert("buckets", asdict(bucket))
    return bucket


def buckets_from(store: Store, project: str, start: str) -> list[Bucket]:
    """The project's buckets from the name `start` on, by name."""
    sql = "SELECT name, project, location, created FROM buckets WHERE project = ? AND name >= ? ORDER BY name"
    return [Bucket(*row) for row in store.rows(sql, project, start)]


def remove_bucket(store: Store, bucket: Bucket) -> None:
    """Delete the bucket, which must be empty."""
    store.change("DELETE FROM buckets WHERE name = ?", bucket.name)


_COLUMNS = "bucket, name, blob, size, generation, metageneration, md5, crc32c, content_type, created, updated, more"


def find_object(store: Store, bucket: str, name: str) -> Object | None:
    """The live object of this name."""
    sql = f"SELECT {_COLUMNS} FROM objects WHERE bucket = ? AND name = ?"  # noqa: S608  constants
    found = store.rows(sql, bucket, name)
    return _object(found[0]) if found else None


def objects_from(store: Store, bucket: str, start: str) -> Iterator[Object]:
    """The bucket's objects from the name `start` on, sorted by the UTF-8 bytes of their names."""
    sql = f"SELECT {_COLUMNS} FROM objects WHERE bucket = ? AND name >= ? ORDER BY name LIMIT ?"  # noqa: S608
    while found := store.rows(sql, bucket, start, _BLOCK):
        yield from map(_object, found)
        start = f"{found[-1][1]}\0"


def match_objects(store: Store, uri: str) -> list[Object]:
    """The objects that match a `gs://bucket/path`, sorted by name.

    `*` matches anything within one folder, `**` matches anything. An invalid URI matches nothing.
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
    """Store an object with these bytes; it replaces one of the same name. The bucket must exist."""
    with store.transaction():
        blob = fresh_id(_BLOB_LENGTH)
        store.append(blob, chunks)
        return store_object(store, bucket, name, blob, measure(store.read(blob)), {"contentType": content_type}, now)


def store_object(
    store: Store, bucket: str, name: str, blob: str, measured: Measure, given: Mapping[str, Any], now: int
) -> Object:
    """Create an object from stored bytes: every new object passes here. `given` are fields that the caller chose."""
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
    """Replace the metadata of the object."""
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
    """Delete the object, and its bytes unless a job needs them."""
    with store.transaction():
        store.change("DELETE FROM objects WHERE bucket = ? AND name = ?", item.bucket, item.name)
        store.drop_unused(item.blob)


def measure(chunks: Iterable[bytes]) -> Measure:
    """Size and checksums of some bytes."""
    # MD5 detects changes; it does not protect a secret.
    digest, crc, size = hashlib.md5(usedforsecurity=False), 0, 0
    for chunk in chunks:
        digest.update(chunk)
        crc = crc32c(chunk, crc)
        size += len(chunk)
    return Measure(size, _base64(digest.digest()), _base64(crc.to_bytes(4, "big")))


def _next_generation(store: Store, now: int) -> int:
    """Microseconds of the clock, like the real service's generations, and always greater than the previous one."""
    generation = max(now // 1000, int(store.meta("generation") or 0) + 1)
    store.put_meta("generation", generation)
    return generation


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _object(row: tuple[Any, ...]) -> Object:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    return Object(**{**values, "more": json.loads(values["more"])})
