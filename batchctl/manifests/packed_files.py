"""Writes what a file of manifests gave as bytes, and reads it back.

The bytes are typed MessagePack: reading them runs no code. Values that many jobs have in common, such as their account
and their lifecycle, are written apart and read once, so that thousands of jobs share them in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, get_type_hints

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from batchctl.manifests.known_files import KnownFile, KnownManifest, Sizes
from batchctl.manifests.needs import Need
from batchctl.model.desired import DesiredJob, Expansion
from batchctl.model.locations import Diagnostic, Location
from batchctl.model.packed_rows import PackedRows
from batchctl.model.slim_tree import PART, SlimTree, encode_part
from batchctl.model.sources import InlineRows, RemoteSource, Source, UnknownSource, UploadedFile

T = TypeVar("T")

_SOURCES: tuple[type, ...] = (InlineRows, UploadedFile, RemoteSource, UnknownSource)
"""The sources of known files; the number of their place is written."""
_MOST_SHARED = 1024


class _Own(Struct, array_like=True):
    """The fields of a job that it seldom shares with others."""

    digest: str
    display_name: str | None
    run_id: str | None
    adopt: str | None
    depends_on: tuple[str, ...]
    priority: int
    input_bytes: int | None
    row_hashes: str | None
    expansion: Expansion | None


class _Job(Struct, array_like=True):
    name: str
    place: Location
    needs: tuple[Need, ...]
    location: Location
    own: _Own
    tree_part: bytes | None
    """The member `PART` of the content of the digest, as JSON; None: there is none."""
    tree: bytes
    """The content of the digest, with null for that member."""
    request: bytes
    shared: bytes
    """All fields that are not named here."""
    form: int
    source: bytes


class _File(Struct, array_like=True):
    jobs: tuple[_Job, ...]
    warnings: tuple[Diagnostic, ...]
    sizes: Sizes


_OWN = _Own.__struct_fields__
_APART = frozenset({*_OWN, "name", "path", "location", "source", "tree", "request"})
_ENCODE = msgspec.msgpack.Encoder().encode  # members keep their order, which an API may regard


class _Shared(Generic[T]):
    """Values by their bytes, each read once."""

    def __init__(self, read: Callable[[bytes], T]) -> None:
        self._read = read
        self._known: dict[bytes, T] = {}

    def value(self, packed: bytes) -> T:
        found = self._known.get(packed)
        if found is None:
            if len(self._known) >= _MOST_SHARED:
                self._known.clear()
            found = self._known[packed] = self._read(packed)
        return found


class Packer:
    """Writes and reads files. Values that are read share what they have in common."""

    def __init__(self) -> None:
        hints = {name: hint for name, hint in get_type_hints(DesiredJob).items() if name not in _APART}
        self._names = tuple(hints)
        self._decode_file = msgspec.msgpack.Decoder(_File).decode
        self._decode_rows = msgspec.msgpack.Decoder(tuple[int, bytes, int | None]).decode
        others: list[Callable[[bytes], Source]] = [msgspec.msgpack.Decoder(source).decode for source in _SOURCES[1:]]
        self._decode_sources: list[Callable[[bytes], Source]] = [self._inline_rows, *others]
        read_fields = msgspec.msgpack.Decoder(tuple[tuple(hints.values())]).decode  # type: ignore[misc]
        self._fields = _Shared(lambda packed: dict(zip(self._names, read_fields(packed), strict=True)))
        self._json = _Shared(msgspec.msgpack.Decoder(dict[str, Any]).decode)

    def pack(self, file: KnownFile) -> bytes:
        """The bytes of a file. Raises UnicodeEncodeError for a text that is no text, as a variable may have."""
        jobs = tuple(self._packed(manifest) for manifest in file.manifests)
        return _ENCODE(_File(jobs, file.warnings, file.sizes))

    def unpack(self, packed: bytes, path: str, shown: str) -> KnownFile:
        """The file with these paths. Raises msgspec.MsgspecError for bytes that `pack` has not written."""
        file = self._decode_file(packed)
        return KnownFile(tuple(self._job(job, path, shown) for job in file.jobs), file.warnings, file.sizes)

    def _packed(self, manifest: KnownManifest) -> _Job:
        job = manifest.job
        tree = dict(job.tree)
        part = encode_part(tree[PART]) if PART in tree else None
        if part is not None:
            tree[PART] = None
        return _Job(
            job.name,
            manifest.place,
            manifest.needs,
            job.location,
            _Own(*[getattr(job, name) for name in _OWN]),
            part,
            _ENCODE(tree),
            _ENCODE(job.request),
            _ENCODE([getattr(job, name) for name in self._names]),
            _SOURCES.index(type(job.source)),
            _pack_source(job.source),
        )

    def _inline_rows(self, packed: bytes) -> InlineRows:
        count, rows, most = self._decode_rows(packed)
        return InlineRows(PackedRows(rows, count), output_tokens=most)

    def _job(self, packed: _Job, path: str, shown: str) -> KnownManifest:
        tree = self._json.value(packed.tree)
        job = DesiredJob(
            name=packed.name,
            path=path,
            location=_at(packed.location, shown),
            source=self._decode_sources[packed.form](packed.source),
            tree=tree if packed.tree_part is None else SlimTree(tree, packed.tree_part),
            request=self._json.value(packed.request),
            **asdict(packed.own),
            **self._fields.value(packed.shared),
        )
        return KnownManifest(packed.name, _at(packed.place, shown), job, packed.needs)


def _pack_source(source: Source) -> bytes:
    if isinstance(source, InlineRows):
        return _ENCODE((len(source.rows), PackedRows.of(source.rows).packed, source.output_tokens))
    return _ENCODE(source)


def _at(place: Location, file: str) -> Location:
    """The same place, with one text for all places of a file."""
    return Location(file, place.line, place.column) if place.file == file and place.has_position else place
